"""Beam search one step at a time, with somebody else choosing which hypotheses stay."""

from __future__ import annotations

from typing import NamedTuple

import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.hypothesis import STATUSES
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.inputs import prepare
from seq2seq.inference.record import teach
from seq2seq.models.protocol import Memory, select
from seq2seq.trace import Trace


class Candidate(NamedTuple):
    """A hypothesis and one more token. log_probability: of that token; cumulative: of all."""

    tokens: tuple[int, ...]
    text: str
    log_probability: float
    cumulative: float
    ended: bool

    @property
    def before(self) -> float:
        """The cumulative log-probability of the hypothesis without its last token."""
        return self.cumulative - self.log_probability


@torch.inference_mode()
def candidates(
    checkpoint: Checkpoint, text: str, kept: tuple[tuple[int, ...], ...], each: int
) -> tuple[Candidate, ...]:
    """Return the `each` most probable next tokens of every kept hypothesis, in their order.

    kept: hypotheses without an end, all equally long; ((),) for the first step. Raises UserError
    for a text that cannot be read, and for hypotheses that are none.
    """
    config, options = checkpoint.model.config, Options()
    if len({len(tokens) for tokens in kept}) != 1 or any(config.eos in row for row in kept):
        raise UserError("These hypotheses are not of one step: begin again.")
    source = prepare(checkpoint, text, options)
    memory = checkpoint.searcher.encode(source.batch(checkpoint.device))
    chances = _chances(checkpoint, memory, kept)
    found = []
    for row, tokens in enumerate(kept):
        scores = chances[row].gather(1, torch.tensor([[*tokens, 0]]).T)[:-1, 0]
        before, best = float(scores.sum()), chances[row, -1].topk(each)
        for value, token in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            longer = (*tokens, int(token))
            shown = checkpoint.text(longer, source.typed)
            found.append(Candidate(longer, shown, value, before + value, token == config.eos))
    return tuple(found)


def _chances(
    checkpoint: Checkpoint, memory: Memory, kept: tuple[tuple[int, ...], ...]
) -> torch.Tensor:
    """Return log-probabilities (hypotheses, tokens + 1, vocabulary)."""
    prompt = decoder_prompt(checkpoint, Options())
    target = torch.tensor([[*prompt.start, *tokens] for tokens in kept])
    rows = select(memory, torch.zeros(len(kept), dtype=torch.long))
    steps = teach(checkpoint.searcher.decoder, target.to(checkpoint.device), rows)
    return steps.logits[:, prompt.steps :].float().log_softmax(dim=-1).cpu()


def beam_statuses(trace: Trace) -> dict[tuple[int, ...], str]:
    """Return what a beam search did with each hypothesis that it ranked, by its tokens.

    "kept", "finished" or "pruned".
    """
    tree = trace.beam_tree
    return {
        tuple(tree.token[tree.path(node)].tolist()): STATUSES[status]
        for node, status in enumerate(tree.status.tolist())
    }
