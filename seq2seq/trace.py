"""The record of one run: all that passes between a model and the pictures. Frozen; numpy only.

Holds observations; anything that can be derived from them is a function of a Trace.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import orjson

from seq2seq.errors import UserError
from seq2seq.hypothesis import BeamTree
from seq2seq.options import Options

FORMAT = "seq2seq-trace/1"


@dataclass(frozen=True)
class Tokens:
    """A text as the model sees it: ids, the pieces they stand for, the word each belongs to."""

    text: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    words: tuple[int, ...]

    def __len__(self) -> int:
        """Count the tokens."""
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Alternatives:
    """The most probable tokens of each step, best first: all are (target, k)."""

    ids: np.ndarray
    pieces: tuple[tuple[str, ...], ...]
    log_probabilities: np.ndarray


@dataclass(frozen=True)
class Output:
    """One of the n best outputs. log_probability: of the whole; score: what it was ranked by."""

    text: str
    pieces: tuple[str, ...]
    log_probability: float
    score: float
    finished: bool
    node: int


@dataclass(frozen=True, eq=False)
class Trace:
    """What one run read, wrote and did on the way.

    Source and target end with EOS (the target only where it was reached).
    log_probabilities, ranks: (target,), of each chosen token, as the model gave it; rank from 0.
    encoder_states: (source, width). decoder_states, contexts: (target, width).
    attention: (target, layers, heads, source), None for a model without attention.
    encoder_attention: (layers, heads, source, source), decoder_attention:
    (target, layers, heads, target): self-attention, None unless asked for.
    beam_pieces: the piece of each node of the beam tree. seconds: by phase.
    notes: sentences on what was changed before the model read the text.
    """

    checkpoint: str
    task: str
    options: Options
    notes: tuple[str, ...]
    source: Tokens
    target: Tokens
    log_probabilities: np.ndarray
    ranks: np.ndarray
    alternatives: Alternatives
    encoder_states: np.ndarray
    decoder_states: np.ndarray
    contexts: np.ndarray
    attention: np.ndarray | None
    outputs: tuple[Output, ...]
    beam_tree: BeamTree
    beam_pieces: tuple[str, ...]
    seconds: dict[str, float]
    encoder_attention: np.ndarray | None = None
    decoder_attention: np.ndarray | None = None
    format: str = field(default=FORMAT)

    @property
    def text(self) -> str:
        """The best output."""
        return self.target.text

    @property
    def probabilities(self) -> np.ndarray:
        """Probability of each chosen token, (target,)."""
        return np.exp(self.log_probabilities)

    def to_json(self) -> bytes:
        """Write as JSON; from_json gives back the same numbers."""
        return orjson.dumps(asdict(self), option=orjson.OPT_SERIALIZE_NUMPY)

    @classmethod
    def from_json(cls, text: bytes | str) -> Trace:
        """Read what to_json wrote. Raises UserError for anything else."""
        try:
            values = orjson.loads(text)
            if values["format"] != FORMAT:
                raise UserError("This run was saved by another version: run it again.")
            trace = cls(**_read(values))
            _check(trace)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError("This file is not a run saved by this app: save one as JSON.") from None
        return trace


def merge_words(trace: Trace, attention: np.ndarray) -> np.ndarray:
    """Merge attention (target, ..., source) from pieces to words.

    Weights of a source word's pieces are added, rows of a target word's pieces averaged, so that
    rows still sum to 1.
    """
    source, target = np.array(trace.source.words), np.array(trace.target.words)
    to_source = np.equal.outer(source, np.arange(source.max() + 1)).astype(np.float32)
    to_target = np.equal.outer(np.arange(target.max() + 1), target).astype(np.float32)
    to_target /= to_target.sum(axis=1, keepdims=True)
    merged = attention.astype(np.float32) @ to_source
    return np.tensordot(to_target, merged, axes=1)


def words(tokens: Tokens) -> tuple[str, ...]:
    """Return the words of a text as they are written, special tokens by name."""
    merged = [""] * (max(tokens.words, default=-1) + 1)
    for piece, word in zip(tokens.pieces, tokens.words, strict=True):
        merged[word] += piece
    return tuple(word.replace("▁", " ").strip() or "␣" for word in merged)


def shown(piece: str) -> str:
    """Return a piece as a reader wants to see it: a word start is a space, never a raw mark."""
    return piece.replace("▁", " ").strip() or "␣"


def _read(values: dict[str, Any]) -> dict[str, Any]:
    """Turn plain values into the fields of a Trace."""
    expected = {item.name for item in fields(Trace)}
    read = {name: value for name, value in values.items() if name in expected}
    read["options"] = Options(**values["options"])
    for side in ("source", "target"):
        tokens = values[side]
        read[side] = Tokens(
            str(tokens["text"]), *(tuple(tokens[name]) for name in ("ids", "pieces", "words"))
        )
    for name in ("log_probabilities", "ranks", *STATES, *ATTENTIONS):
        if values[name] is not None:
            read[name] = np.array(values[name], dtype=DTYPES.get(name, np.float16))
    alternatives = values["alternatives"]
    read["alternatives"] = Alternatives(
        np.array(alternatives["ids"], dtype=np.int64),
        tuple(map(tuple, alternatives["pieces"])),
        np.array(alternatives["log_probabilities"], dtype=np.float32),
    )
    read["outputs"] = tuple(
        Output(**{**output, "pieces": tuple(output["pieces"])}) for output in values["outputs"]
    )
    whole = {"step", "parent", "token", "rank", "fate"}
    read["beam_tree"] = BeamTree(
        **{
            name: np.array(column, dtype=np.int64 if name in whole else np.float64)
            for name, column in values["beam_tree"].items()
        }
    )
    return read | {"notes": tuple(values["notes"]), "beam_pieces": tuple(values["beam_pieces"])}


STATES = ("encoder_states", "decoder_states", "contexts")
ATTENTIONS = ("attention", "encoder_attention", "decoder_attention")
DTYPES: dict[str, Any] = {"log_probabilities": np.float32, "ranks": np.int64}


def _check(trace: Trace) -> None:
    """Raise ValueError where sizes do not fit together, so that every figure can rely on them."""
    source, target = len(trace.source), len(trace.target)
    count = len(trace.beam_tree.step)
    for tokens in (trace.source, trace.target):
        if not len(tokens.ids) == len(tokens.pieces) == len(tokens.words) > 0:
            raise ValueError
        if sorted(set(tokens.words)) != list(range(max(tokens.words) + 1)):
            raise ValueError
    lengths = [
        (trace.log_probabilities, target, 1),
        (trace.ranks, target, 1),
        (trace.alternatives.ids, target, 2),
        (trace.alternatives.log_probabilities, target, 2),
        (trace.encoder_states, source, 2),
        (trace.decoder_states, target, 2),
        (trace.contexts, target, 2),
        *((getattr(trace.beam_tree, item.name), count, 1) for item in fields(BeamTree)),
    ]
    for array, length, dimensions in lengths:
        if array.ndim != dimensions or len(array) != length:
            raise ValueError
    if trace.attention is not None and (
        trace.attention.ndim != 4 or trace.attention.shape[::3] != (target, source)
    ):
        raise ValueError
    if len(trace.beam_pieces) != count or not trace.outputs:
        raise ValueError
