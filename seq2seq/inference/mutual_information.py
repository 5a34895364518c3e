"""Outputs ranked by what they have to do with their source: maximum mutual information.

What is likely anyway, "I don't know", is likely after any source too, and a search for the most
probable output finds it first. Li et al. 2016, section 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import pad
from seq2seq.decoding.generation_config import DecoderPrompt
from seq2seq.decoding.hypothesis import Hypothesis
from seq2seq.decoding.options import Options
from seq2seq.decoding.scoring import score
from seq2seq.decoding.search import SearchResult
from seq2seq.errors import UserError
from seq2seq.models.protocol import select

ROWS = 64  # outputs that are scored at once


def rank_by_information(
    checkpoint: Checkpoint,
    found: Sequence[SearchResult],
    options: Options,
    prompt: DecoderPrompt,
) -> list[SearchResult]:
    """Rank the outputs of each source anew, by log P(output | source) - lambda log P(output).

    lambda is the options' mmi_weight; the length penalty divides the difference as it did log P.
    The beam tree keeps the scores of the search. Raises UserError for a model that reads no text.
    """
    outputs = [each for result in found for each in result.hypotheses]
    taken = source_free(checkpoint, [each.tokens for each in outputs], prompt)
    scored = iter(
        _discounted(each, options.mmi_weight * log_probability, options.length_penalty)
        for each, log_probability in zip(outputs, taken, strict=True)
    )
    ranked = []
    for result in found:
        own = [next(scored) for _ in result.hypotheses]
        own.sort(key=lambda each: (-each.score, each.tokens))
        ranked.append(result._replace(hypotheses=tuple(own[: options.n_best])))
    return ranked


def _discounted(each: Hypothesis, discount: float, length_penalty: float) -> Hypothesis:
    less = float(score(discount, len(each.tokens), length_penalty))
    return replace(each, score=each.score - less, discount=discount)


@torch.inference_mode()
def source_free(
    checkpoint: Checkpoint, outputs: Sequence[Sequence[int]], prompt: DecoderPrompt
) -> list[float]:
    """Return log P of each output after a source of nothing but its end.

    Raises UserError for a model that reads no text.
    """
    config, device = checkpoint.model.config, checkpoint.device
    if config.input != "tokens":
        raise UserError("Only a text can be left out of a run: set mmi_weight to 0.")
    nothing = checkpoint.searcher.encode(torch.tensor([[config.eos]], device=device))
    found: list[float] = []
    for start in range(0, len(outputs), ROWS):
        group = outputs[start : start + ROWS]
        read = pad([prompt.before(each) for each in group], config.pad).to(device)
        same = torch.zeros(len(group), dtype=torch.long, device=device)
        steps = checkpoint.searcher.decoder(read, select(nothing, same))
        scores = steps.logits[:, prompt.steps :].float().log_softmax(dim=-1)
        for row, tokens in enumerate(group):
            chosen = scores[row, range(len(tokens)), list(tokens)]
            found.append(float(chosen.double().sum()))
    return found
