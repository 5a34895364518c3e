"""Looks at an answer that a search has found: one teacher-forced pass over the chosen tokens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.tokenizer import word_numbers
from seq2seq.decoding.hypothesis import Hypothesis
from seq2seq.decoding.interventions import NOTHING, Interventions
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import Found
from seq2seq.inference.inputs import Source
from seq2seq.models.protocol import Decoder, Memory, Steps
from seq2seq.trace import Alternatives, Output, Tokens, Trace

ALTERNATIVES = 10


@torch.inference_mode()
def record(
    checkpoint: Checkpoint,
    source: Source,
    memory: Memory,
    found: Found,
    options: Options,
    seconds: dict[str, float],
    self_attention: bool = False,
    interventions: Interventions = NOTHING,
) -> Trace:
    """Run the best hypothesis through the decoder once more and keep what happens.

    Attention and states are kept as float16. Self-attention is kept only if asked for: it grows
    with the square of the length, layers and heads.
    """
    started = time.perf_counter()
    model, tokens = checkpoint.model, found.hypotheses[0].tokens
    start, _ = checkpoint.conventions.beginning(options, checkpoint.tokenizer.languages)
    target = torch.tensor([[*start, *tokens[:-1]]], device=checkpoint.device)
    prompt = len(start) - 1
    steps = teach(model.decoder, target, memory, interventions, prompt, record=True)
    steps = _after(prompt, steps)
    heard = len(source.ids)  # a recording may be followed by silence
    scores = steps.logits[0].float().log_softmax(dim=-1)
    chosen = scores.gather(1, torch.tensor([tokens], device=scores.device).T)
    arrays: dict[str, Any] = {
        "log_probabilities": chosen[:, 0].cpu().numpy(),
        "ranks": (scores > chosen).sum(dim=1).cpu().numpy(),
        "alternatives": _alternatives(checkpoint, scores),
        "encoder_states": _half(memory.states, heard, dim=1),
        "decoder_states": _half(steps.hidden),
        "contexts": _half(steps.context),
        "attention": _half(steps.weights, heard),
        "encoder_attention": _half(_first(memory.weights, heard, dim=3), heard),
        "copying": _half(steps.copying),
        "decoder_attention": _half(steps.self_weights) if self_attention else None,
    }
    return Trace(
        checkpoint=checkpoint.card.name,
        task=checkpoint.card.task,
        options=options,
        notes=source.notes,
        source=_source(checkpoint, source),
        target=_target(checkpoint, tokens, source.text),
        outputs=tuple(_output(checkpoint, each, source.text) for each in found.hypotheses),
        beam_tree=found.tree,
        beam_pieces=checkpoint.tokenizer.pieces(found.tree.token.tolist()),
        position_seconds=source.seconds,
        precision=checkpoint.precision,
        interventions=interventions,
        seconds={**seconds, "record": time.perf_counter() - started},
        **arrays,
    )


def teach(
    decoder: Decoder,
    target: Tensor,
    memory: Memory,
    interventions: Interventions = NOTHING,
    prompt: int = 0,
    record: bool = False,
) -> Steps:
    """Read target (rows, target) under teacher forcing: at once, or in steps if one is changed.

    prompt: tokens before the first output, beyond the one that every output starts with.
    """
    if not interventions.attention:
        return decoder.forward(target, memory, record)
    state, steps = decoder.start(memory), []
    for position, tokens in enumerate(target.unbind(1)):
        change = interventions.at(position - prompt)
        step = decoder.step(tokens, state, memory, True, change)
        state = step.state
        steps.append(step)
    return Steps(
        torch.stack([step.logits for step in steps], dim=1),
        torch.stack([step.hidden for step in steps], dim=1),
        torch.stack([step.context for step in steps], dim=1),
        _stacked([step.weights for step in steps]),
        _stacked([step.self_weights for step in steps]),
        _stacked([step.copying for step in steps]),
    )


def _stacked(parts: list[Tensor | None]) -> Tensor | None:
    """Stack what all steps have (rows, ..., seen); what is seen may grow, to the widest."""
    present = [part for part in parts if part is not None]
    if not present:
        return None
    last = present[-1].shape[-1]
    return torch.stack([F.pad(part, (0, last - part.shape[-1])) for part in present], dim=1)


def _after(prompt: int, steps: Steps) -> Steps:
    """Drop the steps, and the self-attention, of what the decoder read before its first output."""
    own, weights, copying = steps.self_weights, steps.weights, steps.copying
    return Steps(
        steps.logits[:, prompt:],
        steps.hidden[:, prompt:],
        steps.context[:, prompt:],
        None if weights is None else weights[:, prompt:],
        None if own is None else own[:, prompt:, ..., prompt:],
        None if copying is None else copying[:, prompt:],
    )


def _first(rows: Tensor | None, count: int, dim: int = -1) -> Tensor | None:
    return None if rows is None else rows.narrow(dim, 0, count)


def _half(rows: Tensor | None, count: int | None = None, dim: int = -1) -> np.ndarray | None:
    """Return the first row as float16, with the first `count` entries of a dimension."""
    if rows is None:
        return None
    kept = rows if count is None else rows.narrow(dim, 0, count)
    # Clamped, since JSON knows no infinity; contiguous, since orjson wants it.
    return kept[0].clamp(-65504, 65504).half().contiguous().cpu().numpy()


def _alternatives(checkpoint: Checkpoint, scores: Tensor) -> Alternatives:
    values, ids = (part.cpu().numpy() for part in scores.topk(min(ALTERNATIVES, scores.shape[1])))
    pieces = tuple(checkpoint.tokenizer.pieces(row) for row in ids.tolist())
    return Alternatives(ids, pieces, values)


def _target(checkpoint: Checkpoint, tokens: tuple[int, ...], source: str) -> Tokens:
    pieces = checkpoint.tokenizer.pieces(tokens)
    return _tokens(checkpoint, checkpoint.text(tokens, source), tokens, pieces)


def _source(checkpoint: Checkpoint, source: Source) -> Tokens:
    if source.frames is not None:
        return Tokens("", tuple(source.ids), source.pieces, tuple(source.ids))
    return _tokens(checkpoint, source.text, source.ids, source.pieces)


def _tokens(
    checkpoint: Checkpoint, text: str, ids: Sequence[int], pieces: tuple[str, ...]
) -> Tokens:
    special = [token in checkpoint.tokenizer.special for token in ids]
    return Tokens(text, tuple(ids), pieces, word_numbers(pieces, special))


def _output(checkpoint: Checkpoint, hypothesis: Hypothesis, source: str) -> Output:
    return Output(
        checkpoint.text(hypothesis.tokens, source),
        checkpoint.tokenizer.pieces(hypothesis.tokens),
        float(sum(hypothesis.log_probabilities)),
        hypothesis.score,
        hypothesis.finished,
        hypothesis.node,
    )
