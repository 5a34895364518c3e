"""What a model makes of outputs that are given: nothing is searched."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import pad
from seq2seq.decoding.hypothesis import ACTIVE, FINISHED, BeamTree, Hypothesis
from seq2seq.decoding.interventions import NOTHING, Interventions
from seq2seq.decoding.options import Options
from seq2seq.decoding.scoring import score
from seq2seq.decoding.search import SearchResult
from seq2seq.errors import UserError
from seq2seq.inference.arguments import Input, Inputs, Named, each, is_list, opened
from seq2seq.inference.decoder_prompt import check_length
from seq2seq.inference.encoding import encode
from seq2seq.inference.inputs import clean_target, fit_tokenizer
from seq2seq.inference.record import Encoded, chances, observe, observed, record
from seq2seq.models.protocol import Steps, select
from seq2seq.trace import Trace


@overload
def force(
    checkpoint: Named,
    source: Input,
    target: str | Sequence[int],
    options: Options | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Trace: ...


@overload
def force(
    checkpoint: Named,
    source: Inputs,
    target: Sequence[str | Sequence[int]],
    options: Options | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> list[Trace]: ...


def force(
    checkpoint: Named,
    source: Any,
    target: Any,
    options: Options | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Trace | list[Trace]:
    """Record how a model goes through a given output: teacher forcing.

    target: a text, to whose tokens the end is added, or ids as a search has found them, with the
    tokens that the model begins with; a list of these for a list of sources. The trace has this one
    output; its beam tree is its path. Otherwise as run does, but nothing is searched: "search"
    takes no time. Raises UserError for a text that is empty, too long or written in characters that
    the model has never seen, and for ids that are no output.
    """
    ready = opened(checkpoint)

    def one(pair: tuple[Input, Any]) -> Trace:
        return _force(ready, *pair, options, self_attention, interventions)

    if not is_list(source):
        return one((source, target))
    if not is_list(target) or len(source) != len(target):
        raise UserError(f"There are {len(source)} sources: give a list of as many outputs.")
    return each(list(zip(source, target, strict=True)), one)


@torch.inference_mode()
def _force(
    checkpoint: Checkpoint,
    source: Input,
    target: str | Sequence[int],
    options: Options | None,
    self_attention: bool | None,
    interventions: Interventions,
) -> Trace:
    started = time.perf_counter()
    checkpoint = fit_tokenizer(checkpoint, source, options)
    encoded = encode(checkpoint, source, options, self_attention, interventions)
    tokens = _given(checkpoint, target, encoded.prompt.forced_tokens)
    observing = time.perf_counter()
    steps = observe(checkpoint, encoded, tokens)
    found = _path(checkpoint, encoded, steps, tokens)
    seconds = {
        "encode": observing - started,
        "search": 0.0,
        "record": time.perf_counter() - observing,
    }
    seen = observed(steps, tokens)
    return record(checkpoint, encoded, seen, found, seconds, self_attention is not False)


def _given(
    checkpoint: Checkpoint, target: str | Sequence[int], forced_tokens: Sequence[int]
) -> list[int]:
    """Return the tokens of an output to follow. Raises UserError as `force` does."""
    config = checkpoint.model.config
    if isinstance(target, str):
        text = clean_target(checkpoint, target)
        tokens = checkpoint.tokenizer.encode_target(text) if text else []
        if not tokens:
            raise UserError("There is no output to follow: type one.")
        if config.unknown in tokens:
            raise UserError(
                "This output has characters that the model has never seen: replace them."
            )
        tokens = [*forced_tokens, *tokens, config.eos]
    else:
        tokens = [*target] if isinstance(target, Sequence) else []
        whole = all(isinstance(token, int) for token in tokens)
        if not tokens or not whole or not all(0 <= token < config.vocabulary for token in tokens):
            raise UserError("These tokens are no output of this model: give a text, or its ids.")
    check_length(checkpoint, tokens, "The model cannot follow an output of")
    return tokens


def _path(
    checkpoint: Checkpoint, encoded: Encoded, seen: Steps, tokens: Sequence[int]
) -> SearchResult:
    """Put a given output into the form in which a search leaves its own."""
    _, chosen, ranks = chances(seen, tokens)
    steps, each = np.arange(len(tokens)), chosen.double().cpu().numpy()
    cumulative = each.cumsum()
    # Without a coverage penalty: what is followed has not been searched.
    by_length = score(cumulative, steps + 1, encoded.options.length_penalty)
    finished = tokens[-1] in checkpoint.ends
    status = np.where(finished & (steps == len(tokens) - 1), FINISHED, ACTIVE)
    tree = BeamTree(
        steps, steps - 1, np.array(tokens), each, cumulative, by_length, ranks.cpu().numpy(), status
    )
    best = Hypothesis(
        tuple(tokens), tuple(each.tolist()), float(by_length[-1]), finished, len(tokens) - 1
    )
    return SearchResult((best,), tree)


@torch.inference_mode()
def coverage(
    checkpoint: Checkpoint,
    source: Input,
    outputs: Sequence[Sequence[int]],
    options: Options | None = None,
) -> np.ndarray:
    """Return how much each source position was looked at over each output, (outputs, source).

    Added over steps, averaged over layers and heads: what a coverage penalty is about. outputs: ids
    as a search has found them. One teacher-forced pass over all of them, in the precision of the
    search. It is 1 where there is nothing to look at, so that nothing is missed there. Raises
    ValueError for a model without attention.
    """
    _, memory, _, prompt, _ = encode(checkpoint, source, options)
    config, device = checkpoint.model.config, checkpoint.device
    target = pad([prompt.before(ids) for ids in outputs], config.pad).to(device)
    rows = select(memory, torch.zeros(len(outputs), dtype=torch.long, device=device))
    weights = checkpoint.searcher.decoder(target, rows, record=True).weights
    if weights is None:
        raise ValueError("a model without attention covers nothing")
    looked = weights[:, prompt.steps :].float().mean(dim=(2, 3))
    lengths = torch.tensor([len(ids) for ids in outputs], device=looked.device)
    real = torch.arange(looked.shape[1], device=looked.device) < lengths[:, None]
    covered = (looked * real[..., None]).sum(dim=1).masked_fill(~memory.mask, 1.0)
    return covered.cpu().double().numpy()
