"""The record of one run: all that passes between a model and the pictures. Frozen; numpy only.

Holds observations; anything that can be derived from them is a function of a Trace.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

import numpy as np
import orjson

from seq2seq.decoding.hypothesis import FATES, BeamTree
from seq2seq.decoding.interventions import NOTHING, AttentionEdit, Interventions
from seq2seq.decoding.options import MAX_LENGTH, Options
from seq2seq.errors import UserError

FORMAT = "seq2seq-trace/3"
Kind = TypeVar("Kind")


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
    copying: (target,), the probability with which a step copies a source token, None for a model
    that does not.
    beam_pieces: the piece of each node of the beam tree. seconds: by phase.
    position_seconds: what a source position lasts where the source is a recording, else 0; its
    weights then sum to less than 1 where the model also looked at the silence that follows.
    precision: what the search multiplied in; everything else here comes from a float32 pass, so
    the last digits of outputs and beam tree may differ from it.
    notes: sentences on what was changed before the model read the text. interventions: what was
    changed inside the run.
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
    position_seconds: float = 0.0
    precision: str = "float32"
    encoder_attention: np.ndarray | None = None
    decoder_attention: np.ndarray | None = None
    copying: np.ndarray | None = None
    interventions: Interventions = NOTHING
    format: str = field(default=FORMAT)

    def __post_init__(self) -> None:
        """Freeze the arrays too: one trace is shown to many visitors."""
        for part in (self, self.alternatives, self.beam_tree):
            for array in vars(part).values():
                if isinstance(array, np.ndarray):
                    array.setflags(write=False)

    @property
    def text(self) -> str:
        """The best output."""
        return self.target.text

    @property
    def probabilities(self) -> np.ndarray:
        """Probability of each chosen token, (target,)."""
        return np.exp(self.log_probabilities)

    def to_json(self) -> bytes:
        """Write as JSON; from_json gives back the same numbers.

        The best output stands in front as `text`, for programs that want nothing else.
        """
        values = {"text": self.text, **asdict(self)}
        return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)

    @classmethod
    def from_json(cls, text: bytes | str) -> Trace:
        """Read what to_json wrote. Raises UserError for anything else."""
        try:
            values = orjson.loads(text)
            if values["format"] != FORMAT:
                raise UserError("This run was saved by another version: run it again.")
            trace = _read(values)
            _check(trace)
            if values["text"] != trace.text:
                raise ValueError
        except UserError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError):
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
    """Return a piece as a reader wants to see it: without the mark of a word's start."""
    return piece.replace("▁", " ").strip() or "␣"


def label(piece: str) -> str:
    """Return a piece as it is shown where its neighbours are not: inside a word it has a dot."""
    return "·" + piece if piece[:1].isalnum() else shown(piece)


def _read(values: dict[str, Any]) -> Trace:
    """Build a Trace of plain values, whose sizes are still to be checked.

    Raises KeyError, TypeError or ValueError for anything that to_json has not written.
    """
    alternatives, tree = values["alternatives"], values["beam_tree"]

    def weights(name: str) -> np.ndarray | None:
        return None if values[name] is None else _array(values[name], np.float16)

    return Trace(
        checkpoint=_one(str, values["checkpoint"]),
        task=_one(str, values["task"]),
        options=_options(values["options"]),
        notes=_each(str, values["notes"]),
        source=_tokens(values["source"]),
        target=_tokens(values["target"]),
        log_probabilities=_array(values["log_probabilities"], np.float32),
        ranks=_array(values["ranks"], np.int64),
        alternatives=Alternatives(
            _array(alternatives["ids"], np.int64),
            tuple(_each(str, pieces) for pieces in alternatives["pieces"]),
            _array(alternatives["log_probabilities"], np.float32),
        ),
        encoder_states=_array(values["encoder_states"], np.float16),
        decoder_states=_array(values["decoder_states"], np.float16),
        contexts=_array(values["contexts"], np.float16),
        attention=weights("attention"),
        outputs=tuple(_output(output) for output in values["outputs"]),
        beam_tree=BeamTree(
            **{
                name: _array(column, np.int64 if name in WHOLE else np.float64)
                for name, column in tree.items()
            }
        ),
        beam_pieces=_each(str, values["beam_pieces"]),
        seconds={name: _one(float, value) for name, value in values["seconds"].items()},
        position_seconds=_one(float, values["position_seconds"]),
        precision=_one(str, values["precision"]),
        encoder_attention=weights("encoder_attention"),
        decoder_attention=weights("decoder_attention"),
        copying=weights("copying"),
        interventions=_interventions(values["interventions"]),
    )


def _interventions(values: dict[str, Any]) -> Interventions:
    edits = (AttentionEdit(**edit) for edit in values["attention"])
    return Interventions(
        tuple(replace(edit, weights=_each(float, edit.weights)) for edit in edits),
        _each(int, values["muted"]),
    )


def _options(values: dict[str, Any]) -> Options:
    return Options(**values | {"prefix_tokens": tuple(values.get("prefix_tokens", ()))})


WHOLE = ("step", "parent", "token", "rank", "fate")


def _one(kind: type[Kind], value: Any) -> Kind:
    if type(value) is not kind:
        raise TypeError
    return value


def _each(kind: type[Kind], values: Any) -> tuple[Kind, ...]:
    return tuple(_one(kind, value) for value in _one(list, values))


def _array(values: Any, dtype: type[np.generic]) -> np.ndarray:
    plain = np.array(values)
    if plain.dtype.kind not in ("i" if dtype is np.int64 else "if") or not plain.size:
        raise TypeError
    with np.errstate(over="ignore"):
        array = plain.astype(dtype)
    if not np.isfinite(array).all():
        raise ValueError
    return array


def _tokens(values: dict[str, Any]) -> Tokens:
    return Tokens(
        _one(str, values["text"]),
        _each(int, values["ids"]),
        _each(str, values["pieces"]),
        _each(int, values["words"]),
    )


def _output(values: dict[str, Any]) -> Output:
    return Output(
        text=_one(str, values["text"]),
        pieces=_each(str, values["pieces"]),
        log_probability=_one(float, values["log_probability"]),
        score=_one(float, values["score"]),
        finished=_one(bool, values["finished"]),
        node=_one(int, values["node"]),
    )


def _check(trace: Trace) -> None:
    """Raise ValueError where parts do not fit together, so that every figure can rely on them."""
    source, target = len(trace.source), len(trace.target)
    for tokens in (trace.source, trace.target):
        if not len(tokens.ids) == len(tokens.pieces) == len(tokens.words) > 0:
            raise ValueError
        if any(step not in (0, 1) for step in np.diff(tokens.words, prepend=-1)[1:]):
            raise ValueError
        if tokens.words[0] != 0:
            raise ValueError
    alternatives = trace.alternatives
    count = alternatives.ids.shape[-1]
    sizes = {"source": source, "target": target, "nodes": len(trace.beam_pieces), "k": count}
    if any(size > MOST[name] for name, size in sizes.items()):
        raise ValueError
    seconds = [*trace.seconds.values(), trace.position_seconds]
    if set(trace.seconds) != {"encode", "search", "record"} or min(seconds) < 0:
        raise ValueError
    if [len(pieces) for pieces in alternatives.pieces] != [count] * target:
        raise ValueError
    # None stands for any size.
    for array, shape in (
        (trace.log_probabilities, (target,)),
        (trace.ranks, (target,)),
        (alternatives.ids, (target, count)),
        (alternatives.log_probabilities, (target, count)),
        (trace.encoder_states, (source, None)),
        (trace.decoder_states, (target, None)),
        (trace.contexts, (target, None)),
        (trace.attention, (target, None, None, source)),
        (trace.encoder_attention, (None, None, source, source)),
        (trace.decoder_attention, (target, None, None, target)),
        (trace.copying, (target,)),
    ):
        if array is not None and not _has_shape(array, shape):
            raise ValueError
    for array, low, high in (
        (trace.log_probabilities, -np.inf, 0),
        (alternatives.log_probabilities, -np.inf, 0),
        (trace.ranks, 0, np.inf),
        (trace.attention, 0, 1),
        (trace.encoder_attention, 0, 1),
        (trace.decoder_attention, 0, 1),
        (trace.copying, 0, 1),
    ):
        if array is not None and (array.min() < low or array.max() > high + ROUNDING):
            raise ValueError
    _check_tree(trace)
    layers, heads = (0, 0) if trace.attention is None else trace.attention.shape[1:3]
    trace.interventions.check(source, layers, heads)


ROUNDING = 1e-3  # of a weight or probability of 1
# More than any run of this app, so that a file cannot take the memory of whoever opens it.
MOST = {"source": 1_500, "target": MAX_LENGTH, "nodes": 20 * MAX_LENGTH, "k": 100}


def _has_shape(array: np.ndarray, shape: tuple[int | None, ...]) -> bool:
    return array.ndim == len(shape) and all(
        size in (None, actual) for size, actual in zip(shape, array.shape, strict=True)
    )


def _check_tree(trace: Trace) -> None:
    tree, count = trace.beam_tree, len(trace.beam_pieces)
    if any(not _has_shape(getattr(tree, item.name), (count,)) for item in fields(BeamTree)):
        raise ValueError
    if not ((tree.parent >= -1) & (tree.parent < np.arange(count))).all():
        raise ValueError
    # A last -1 is what a first token's parent, -1, finds.
    if not np.array_equal(tree.step, np.append(tree.step, -1)[tree.parent] + 1):
        raise ValueError
    if not np.isin(tree.fate, range(len(FATES))).all() or tree.rank.min() < 0:
        raise ValueError
    if not trace.outputs or any(not 0 <= output.node < count for output in trace.outputs):
        raise ValueError
