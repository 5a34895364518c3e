"""Looks at an answer that a search has found: one teacher-forced pass over the chosen tokens.

It is made in the precision of the search: what is shown of a run are the numbers it ran on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.spans import cover, place
from seq2seq.data.tokenizer import Split, word_numbers
from seq2seq.decoding.generation_config import DecoderPrompt
from seq2seq.decoding.hypothesis import Hypothesis
from seq2seq.decoding.interventions import NOTHING, Interventions
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import SearchResult
from seq2seq.decoding.step_log import Observed, StepValues, stacked
from seq2seq.decoding.top_scores import top
from seq2seq.inference.inputs import Source
from seq2seq.models.protocol import Decoder, Memory, Steps
from seq2seq.trace import Alternatives, Given, Output, Tokens, Trace

ALTERNATIVES = 10


class Encoded(NamedTuple):
    """A source that the encoder has read, and what goes to the decoder with it.

    options: with the language of a recording filled in.
    """

    source: Source
    memory: Memory
    options: Options
    prompt: DecoderPrompt
    interventions: Interventions = NOTHING


@torch.inference_mode()
def observe(checkpoint: Checkpoint, encoded: Encoded, tokens: Sequence[int]) -> Steps:
    """Run an output (target,) through the decoder under teacher forcing: (1, target, ...) each.

    For an output that is given, and for one of which a search has not kept enough.
    """
    prompt = encoded.prompt
    target = torch.tensor([prompt.before(tokens)], device=checkpoint.device)
    decoder, changes = checkpoint.searcher.decoder, encoded.interventions
    steps = teach(decoder, target, encoded.memory, changes, prompt.steps, record=True)
    return _after(prompt.steps, steps)


@torch.inference_mode()
def record(
    checkpoint: Checkpoint,
    encoded: Encoded,
    seen: Observed,
    found: SearchResult,
    seconds: dict[str, float],
    self_attention: bool = False,
) -> Trace:
    """Keep what happened while the decoder wrote the best hypothesis, as `observe` has seen it.

    Attention and states are kept as float16. Self-attention is kept only if asked for: it grows
    with the square of the length, layers and heads. seconds: by phase.
    """
    source, tokens = encoded.source, found.hypotheses[0].tokens
    given = source.given
    return Trace(
        checkpoint=checkpoint.card.name,
        task=checkpoint.card.task,
        options=encoded.options,
        notes=source.notes,
        source=_source(checkpoint, source),
        given=None if given in ("", source.text) else Given(given, source.given_spans),
        target=_target(checkpoint, tokens, source.typed),
        outputs=tuple(_output(checkpoint, each, source.typed) for each in found.hypotheses),
        beam_tree=found.tree,
        beam_pieces=checkpoint.tokenizer.pieces(found.tree.token.tolist()),
        position_seconds=source.seconds,
        precision=checkpoint.precision,
        interventions=encoded.interventions,
        seconds=seconds,
        **_arrays(checkpoint, encoded, seen, self_attention),
    )


def _arrays(
    checkpoint: Checkpoint,
    encoded: Encoded,
    seen: Observed,
    self_attention: bool,
) -> dict[str, Any]:
    """Return the arrays of a Trace, by field."""
    memory, heard = encoded.memory, len(encoded.source.ids)  # silence may follow a recording
    own = None if memory.weights is None else memory.weights[0, ..., :heard, :heard]
    steps = seen.steps
    ids = steps.ids.cpu().numpy()
    pieces = tuple(checkpoint.tokenizer.pieces(row) for row in ids.tolist())
    return {
        "log_probabilities": seen.log_probabilities.cpu().numpy(),
        "ranks": seen.ranks.cpu().numpy(),
        "alternatives": Alternatives(ids, pieces, steps.values.cpu().numpy()),
        "encoder_states": _half(memory.states[0, :heard]),
        "decoder_states": _half(steps.hidden),
        "contexts": _half(steps.context),
        "attention": _half(None if steps.weights is None else steps.weights[..., :heard]),
        "encoder_attention": _half(own),
        "copying": _half(steps.copying),
        "decoder_attention": _half(steps.self_weights) if self_attention else None,
    }


def observed(steps: Steps, tokens: Sequence[int]) -> Observed:
    """Return what the steps (1, target, ...) of an output were, in the words of a search."""
    scores, chosen, ranks = chances(steps, tokens)
    values, ids = top(scores, min(ALTERNATIVES, scores.shape[1]))
    inside = (steps.hidden, steps.context, steps.weights, steps.self_weights, steps.copying)
    parts = (None if part is None else part[0] for part in inside)
    return Observed(chosen, ranks, StepValues._make((ids, values, *parts)))


def chances(steps: Steps, tokens: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    """Return all log-probabilities (target, vocabulary), those of the tokens, and their ranks."""
    scores = steps.logits[0].float().log_softmax(dim=-1)
    chosen = scores.gather(1, torch.tensor([tokens], device=scores.device).T)
    return scores, chosen[:, 0], (scores > chosen).sum(dim=1)


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
        _by_rows([step.weights for step in steps]),
        _by_rows([step.self_weights for step in steps]),
        _by_rows([step.copying for step in steps]),
    )


def _by_rows(parts: Sequence[Tensor | None]) -> Tensor | None:
    """Put what steps have (rows, ...) together: (rows, steps, ...)."""
    by_step = stacked(parts)
    return None if by_step is None else by_step.transpose(0, 1)


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


def _half(values: Tensor | None) -> np.ndarray | None:
    if values is None:
        return None
    # Clamped, since JSON knows no infinity; contiguous, since orjson wants it.
    return values.clamp(-65504, 65504).half().contiguous().cpu().numpy()


def _target(checkpoint: Checkpoint, tokens: tuple[int, ...], source: str) -> Tokens:
    tokenizer, text = checkpoint.tokenizer, checkpoint.text(tokens, source)
    spans = cover(place(tokenizer.surfaces(tokens), text), text)
    split = Split(list(tokens), tokenizer.pieces(tokens), spans)
    return _tokens(text, split, split.pieces, tokenizer.special)


def _source(checkpoint: Checkpoint, source: Source) -> Tokens:
    if source.frames is not None:
        ids, pieces, spans = source.tokens
        return Tokens("", tuple(ids), pieces, tuple(ids), (False,) * len(ids), spans)
    tokenizer, names = checkpoint.tokenizer, checkpoint.tokenizer.source_pieces(source.ids)
    return _tokens(source.text, source.tokens, names, tokenizer.source_special)


def _tokens(text: str, split: Split, names: Sequence[str], special_ids: frozenset[int]) -> Tokens:
    """Put a text's tokens together; names: of the ids in the vocabulary of that side."""
    ids, pieces, spans = split
    apart = [token in special_ids for token in ids]
    # An unknown character of a source is written as itself, not by the name of its token.
    named = zip(apart, pieces, names, strict=True)
    special = tuple(each and piece == name for each, piece, name in named)
    return Tokens(text, tuple(ids), pieces, word_numbers(pieces, apart), special, spans)


def _output(checkpoint: Checkpoint, hypothesis: Hypothesis, source: str) -> Output:
    return Output(
        checkpoint.text(hypothesis.tokens, source),
        checkpoint.tokenizer.pieces(hypothesis.tokens),
        float(sum(hypothesis.log_probabilities)),
        hypothesis.score,
        hypothesis.finished,
        hypothesis.node,
        hypothesis.discount,
    )
