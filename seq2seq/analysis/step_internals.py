"""One step of an output taken apart: every number between the token read and the token written.

All of it is computed anew with the weights and functions of the run; a run does not keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import Audio
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.decode import detect_language
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.inputs import Source, prepare
from seq2seq.inference.record import ALTERNATIVES
from seq2seq.models.attention import Additive, Dot, General, MultiHead, attend
from seq2seq.models.protocol import Memory, State, Step
from seq2seq.models.quantization import as_read, weight_row
from seq2seq.models.recurrent import GATES, CellStep, RecurrentDecoder
from seq2seq.models.transformer import DecoderLayer, SourceKeys, TransformerDecoder, biases_of


@dataclass(frozen=True, eq=False)
class CellInternals:
    """One recurrent layer in one step; all arrays are (width,).

    gates: by the names of seq2seq.models.recurrent.GATES. sums: their pre-activations, by the same
    names: what sigmoid or tanh was applied to. before, after: (s,), or (s, C) of an LSTM.
    """

    gates: dict[str, np.ndarray]
    sums: dict[str, np.ndarray]
    before: tuple[np.ndarray, ...]
    after: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class AttentionInternals:
    """One attention, of one head where there are several: context = softmax(scores) @ values.

    query, context: (width,). values: (positions, width). scores, weights: (positions,); the softmax
    leaves out what nobody may see, as a gap in a series: its weight is 0, whatever its score.
    keys: (positions, width) where a score is the dot product of query and key times `scale`, plus
    `bias` (positions,) if there is one; else None. brought: what all heads together add to the
    state, (model width,). unseen: the weight on the silence that follows a recording.
    """

    query: np.ndarray
    keys: np.ndarray | None
    values: np.ndarray
    scores: np.ndarray
    weights: np.ndarray
    context: np.ndarray
    brought: np.ndarray
    scale: float = 1.0
    bias: np.ndarray | None = None
    unseen: float = 0.0


@dataclass(frozen=True, eq=False)
class StepInternals:
    """One step. Arrays are float32.

    kind: "rnn", "lstm", "gru" or "transformer". attention: "none", "additive", "dot", "general" or
    "heads". feeds: what a recurrent decoder reads beside the previous token, "" for a Transformer.
    source: pieces of the source positions. read: pieces that the decoder has read, the last one in
    this step. embedding: of that one, with its position, (embedding width,).
    cells: of each recurrent layer, from the lowest. look: at the source, None without attention.
    own: at what was read before, states: of the chosen layer (4, width), as it came in and after
    each of its three blocks, inner: of its feed-forward block (inner width,), sizes: lengths of the
    states of all layers (layers, 4): of a Transformer, else None.
    context: (width,), all that the step knows of the source. hidden: (width,), the decoder state.
    readout: (readout width,), what the output layer reads. output_row, output_bias: of the chosen
    token in W_o and b_o: its logit, before copying, is output_row @ readout + output_bias.
    ids, pieces, logits: of the most probable tokens, best first, and of the chosen one, if it is
    none of them, at the end. chosen: its place among these. rank: among all tokens, from 0.
    log_sum: log of the sum of exp(logit) over all `vocabulary` tokens: p = exp(logit - log_sum).
    copying: of a model that copies, the probability that it does, else None; its logits are then
    logarithms of probabilities. pointed: the weights on the chosen token in the source.
    """

    kind: str
    attention: str
    feeds: str
    source: tuple[str, ...]
    read: tuple[str, ...]
    embedding: np.ndarray
    cells: tuple[CellInternals, ...]
    look: AttentionInternals | None
    own: AttentionInternals | None
    states: np.ndarray | None
    inner: np.ndarray | None
    sizes: np.ndarray | None
    context: np.ndarray
    hidden: np.ndarray
    readout: np.ndarray
    output_row: np.ndarray
    output_bias: float
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    logits: np.ndarray
    chosen: int
    rank: int
    log_sum: float
    vocabulary: int
    copying: float | None = None
    pointed: float = 0.0

    @property
    def probabilities(self) -> np.ndarray:
        """Probabilities of the tokens in `ids`."""
        return np.exp(self.logits - self.log_sum)


@dataclass(frozen=True, eq=False)
class Embedded:
    """Source tokens as the encoder reads them. vectors: (tokens, width), with their positions.

    unknown: of each token, whether it stands for characters that the model has never seen.
    vocabulary: how many tokens the encoder knows.
    """

    vectors: np.ndarray
    unknown: tuple[bool, ...]
    vocabulary: int


@torch.inference_mode()
def embed(checkpoint: Checkpoint, ids: Sequence[int]) -> Embedded:
    """Return the vectors of source tokens. Raises UserError for ids that are none of this model."""
    model, config = checkpoint.model, checkpoint.model.config
    known = config.source_vocabulary or config.vocabulary
    if config.input == "audio" or not all(0 <= token < known for token in ids):
        raise UserError("These tokens are no source of this model.")
    embedding = cast(Callable[[Tensor], Tensor], model.encoder.embedding)
    vectors = embedding(torch.tensor([ids], device=checkpoint.device))
    unknown = None if config.unknown == config.pad else config.unknown
    return Embedded(_numbers(vectors[0]), tuple(token == unknown for token in ids), known)


@dataclass(frozen=True, eq=False)
class Encoded:
    """What an encoder has made of a source: for several close-ups it need not do so again."""

    source: Source
    memory: Memory
    options: Options


@torch.inference_mode()
def encode(checkpoint: Checkpoint, source: str | Audio, options: Options | None = None) -> Encoded:
    """Encode a source for step_internals. Raises UserError as run does."""
    options = options or checkpoint.generation_config.options
    given = prepare(checkpoint, source, options)
    memory = checkpoint.searcher.encode(given.batch(checkpoint.device))
    return Encoded(given, memory, detect_language(checkpoint, memory, options))


@torch.inference_mode()
def step_internals(
    checkpoint: Checkpoint,
    source: str | Audio | Encoded,
    tokens: Sequence[int],
    step: int,
    options: Options | None = None,
    layer: int = -1,
    head: int = 0,
) -> StepInternals:
    """Take a step of an output apart, from 0.

    tokens: of the output, with those that the model begins with, as in a Trace. options: not read
    where the source is encoded already. layer, head: of a Transformer. Raises UserError for tokens
    that are no output of this model, and as run does.
    """
    model, config = checkpoint.searcher, checkpoint.model.config
    if not all(0 <= token < config.vocabulary for token in tokens) or not 0 <= step < len(tokens):
        raise UserError("These tokens are no output of this model.")
    encoded = source if isinstance(source, Encoded) else encode(checkpoint, source, options)
    given, memory = encoded.source, encoded.memory
    start = decoder_prompt(checkpoint, encoded.options).start
    read = [*start, *tokens[:step]]
    parts = _parts(model.decoder, read, memory, _Chosen(len(given.ids), layer, head))
    logits = parts.pop("logits").float()
    bias = model.decoder.output.bias
    if parts.get("copying") is not None:
        same = np.array(given.ids) == tokens[step]
        parts["pointed"] = float(parts["look"].weights[same].sum())
    return StepInternals(
        source=given.tokens.pieces,
        read=checkpoint.tokenizer.pieces(read),
        vocabulary=config.vocabulary,
        output_row=_numbers(weight_row(model.decoder.output, tokens[step])),
        output_bias=0.0 if bias is None else float(bias[tokens[step]]),
        **_said(checkpoint, logits, tokens[step]),
        **parts,
    )


def _said(checkpoint: Checkpoint, logits: Tensor, token: int) -> dict[str, Any]:
    ids = logits.topk(min(ALTERNATIVES, len(logits))).indices.tolist()
    ids = ids if token in ids else [*ids, token]
    return {
        "ids": tuple(ids),
        "pieces": checkpoint.tokenizer.pieces(ids),
        "logits": logits[ids].cpu().numpy(),
        "chosen": ids.index(token),
        "rank": int((logits > logits[token]).sum()),
        "log_sum": float(logits.logsumexp(dim=0)),
    }


class _Chosen(NamedTuple):
    """positions: of the source; a recording may be followed by silence. layer, head: the shown."""

    positions: int
    layer: int
    head: int


@singledispatch
def _parts(decoder: Any, read: Sequence[int], memory: Memory, chosen: _Chosen) -> dict[str, Any]:
    """Return the fields of a step that a kind of decoder knows, and all its logits."""
    raise TypeError(f"{type(decoder).__name__} is no decoder of this library")


@_parts.register
def _recurrent(
    decoder: RecurrentDecoder, read: Sequence[int], memory: Memory, chosen: _Chosen
) -> dict[str, Any]:
    tokens = torch.tensor([read], device=memory.states.device)
    state = decoder.prefill(tokens[:, :-1], decoder.start(memory), memory)
    step, cell_steps = recorded_step(decoder, tokens[:, -1], state, memory)
    cells, embedded = state[0], decoder.embedding(tokens[:, -1])
    # What feeds the cell has been looked for with the state before.
    query = cells[0][:, -1:] if decoder.feeds == "context" else step.hidden.unsqueeze(1)
    attention = decoder.attention
    names = GATES[decoder.stack.kind]
    readout = _readout(decoder, step.hidden, step.context)
    return {
        "kind": decoder.stack.kind,
        "attention": "none" if attention is None else attention.kind,
        "feeds": decoder.feeds,
        "embedding": _numbers(embedded[0]),
        "cells": tuple(
            CellInternals(
                _by_name(names, turn.gates),
                _by_name(names, turn.sums),
                tuple(_numbers(part[0, number]) for part in cells),
                tuple(_numbers(part[0]) for part in turn.state),
            )
            for number, turn in enumerate(cell_steps)
        ),
        "look": None if attention is None else _recurrent_attention(attention, query, memory),
        "own": None,
        "states": None,
        "inner": None,
        "sizes": None,
        "context": _numbers(step.context[0]),
        "hidden": _numbers(step.hidden[0]),
        "readout": _numbers(as_read(decoder.output, readout)[0]),
        "logits": step.logits[0],
        "copying": None if step.copying is None else float(step.copying[0]),
    }


def _recurrent_attention(
    attention: Additive | Dot | General, query: Tensor, memory: Memory
) -> AttentionInternals:
    """Return how a recurrent decoder's query (1, 1, width) is compared with a memory's states."""
    scores = attention.scores(query, memory.keys)
    context, weights = attend(scores, memory.states, memory.mask.unsqueeze(1))
    return AttentionInternals(
        query=_numbers(query[0, 0]),
        keys=_numbers(memory.keys[0]) if attention.dot_product else None,
        values=_numbers(memory.states[0]),
        scores=_numbers(scores[0, 0]),
        weights=_numbers(weights[0, 0]),
        context=_numbers(context[0, 0]),
        brought=_numbers(context[0, 0]),
        scale=query.shape[-1] ** -0.5,
    )


def recorded_step(
    decoder: RecurrentDecoder, token: Tensor, state: State, memory: Memory
) -> tuple[Step, list[CellStep]]:
    """Take one step; returns it and what happened in each layer, from the lowest.

    token: (rows,), the one that is read. state: as the decoder has it before.
    """
    step = decoder.step(token, state, memory)
    cells, previous = state
    beside = {"token": [], "context": [step.context], "readout": [previous]}[decoder.feeds]
    cell_steps = decoder.stack.cell_steps(
        torch.cat([decoder.embedding(token), *beside], dim=-1), cells
    )
    return step, cell_steps


def _by_name(names: Sequence[str], parts: Sequence[Tensor]) -> dict[str, np.ndarray]:
    return {name: _numbers(part[0]) for name, part in zip(names, parts, strict=True)}


def _readout(decoder: RecurrentDecoder, hidden: Tensor, context: Tensor) -> Tensor:
    """Return r_t of decoder states and contexts, all (rows, width)."""
    if decoder.attention is None:
        return cast(Tensor, decoder.combine(hidden))
    return torch.tanh(decoder.combine(torch.cat([hidden, context], dim=-1)))


class _Passed(NamedTuple):
    """What a Transformer layer did with one position; states before and after each block."""

    states: Tensor
    own: AttentionInternals
    look: AttentionInternals
    inner: Tensor


@_parts.register
def _transformer(
    decoder: TransformerDecoder, read: Sequence[int], memory: Memory, chosen: _Chosen
) -> dict[str, Any]:
    tokens, place = torch.tensor([read], device=memory.states.device), len(read) - 1
    state = decoder.start(memory)
    if place:
        state = decoder.prefill(tokens[:, :-1], state, memory)
    embedded = decoder.embedding(tokens[:, -1:], place)
    states, passed = embedded, []
    layers = cast("list[DecoderLayer]", list(decoder.layers))
    biases = biases_of(decoder.bias, len(layers), place, place + 1, tokens.device)
    visible = memory.mask[:, None, None, :]
    for each, past, keys, bias in zip(layers, state, memory.keys, biases, strict=True):
        source = SourceKeys(keys, visible)
        passed.append(_pass(each, states, past, source, bias, chosen.head, chosen.positions))
        states = passed[-1].states[-1]
    hidden = decoder.norm(states)
    readout = hidden * decoder.output_scale
    shown = passed[chosen.layer]
    return {
        "kind": "transformer",
        "attention": "heads",
        "feeds": "",
        "embedding": _numbers(embedded[0, 0]),
        "cells": (),
        "look": shown.look,
        "own": shown.own,
        "states": _numbers(shown.states[:, 0, 0]),
        "inner": _numbers(shown.inner[0, 0]),
        "sizes": np.stack([_numbers(each.states[:, 0, 0].norm(dim=-1)) for each in passed]),
        "context": passed[-1].look.brought,
        "hidden": _numbers(hidden[0, 0]),
        "readout": _numbers(as_read(decoder.output, readout)[0, 0]),
        "logits": decoder.output(readout)[0, 0],
    }


def _pass(
    layer: DecoderLayer,
    states: Tensor,
    past: tuple[Tensor, Tensor],
    source: SourceKeys,
    bias: Tensor | None,
    head: int,
    heard: int,
) -> _Passed:
    """Do what DecoderLayer.forward does with one position."""
    query, *new = layer.self_attention.project(layer.self_attention_residual.enter(states))
    keys = torch.cat([past[0], new[0]], dim=2), torch.cat([past[1], new[1]], dim=2)
    seen, count = SourceKeys(keys, None), keys[0].shape[2]
    own, change = _look(layer.self_attention, query, seen, head, count, bias)
    after_own = layer.self_attention_residual.leave(states, change)
    query = layer.attention_residual.enter(after_own)
    look, change = _look(layer.attention, query, source, head, heard)
    after_look = layer.attention_residual.leave(after_own, change)
    inner = layer.feedforward.activate(layer.feedforward_residual.enter(after_look))
    last = layer.feedforward_residual.leave(after_look, layer.feedforward.outer(inner))
    return _Passed(torch.stack([states, after_own, after_look, last]), own, look, inner)


def _look(
    attention: MultiHead,
    query: Tensor,
    seen: SourceKeys,
    head: int,
    count: int,
    bias: Tensor | None = None,
) -> tuple[AttentionInternals, Tensor]:
    """Return the parts of a head, at the first `count` positions, and what all heads bring."""
    parts = attention.look(query, seen.keys, seen.mask, bias)
    brought = attention.join(parts.contexts)
    weights = _numbers(parts.weights[0, head, 0])
    look = AttentionInternals(
        query=_numbers(parts.queries[0, head, 0]),
        keys=_numbers(seen.keys[0][0, head, :count]),
        values=_numbers(seen.keys[1][0, head, :count]),
        scores=_numbers(parts.scores[0, head, 0, :count]),
        weights=weights[:count],
        context=_numbers(parts.contexts[0, head, 0]),
        brought=_numbers(brought[0, 0]),
        scale=attention.scale,
        bias=None if bias is None else _numbers(bias[0, head, 0]),
        unseen=float(weights[count:].sum()),
    )
    return look, brought


def _numbers(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
