"""The record of one run: all that passes between a model and the pictures. Frozen; numpy only.

Holds observations; anything that can be derived from them is a function of a Trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Annotated, Any

import numpy as np

from seq2seq import trace_html, trace_json
from seq2seq.data.spans import Span, cover, place
from seq2seq.decoding.hypothesis import STATUSES, BeamTree
from seq2seq.decoding.interventions import NOTHING, Interventions
from seq2seq.decoding.options import MAX_BEAM_WIDTH, MAX_CHARACTERS, MAX_LENGTH, Options
from seq2seq.errors import UserError, quote
from seq2seq.trace_json import ArrayOf, AtMost

FORMAT = "seq2seq-trace/5"
# More than any run of this app has, so that no file can take the memory of whoever opens it.
MAX_SOURCE, MAX_NODES, MAX_ALTERNATIVES = 1_500, 20 * MAX_LENGTH, 100
MAX_NAME = 100  # letters of a special token
SOURCE, TARGET = AtMost(MAX_SOURCE), AtMost(MAX_LENGTH)
Name = Annotated[str, AtMost(300)]
Note = Annotated[str, AtMost(1_000)]
Piece = Annotated[str, AtMost(MAX_CHARACTERS)]
Spans = Annotated[tuple[Span, ...], SOURCE]
Numbers = Annotated[np.ndarray, ArrayOf(np.float32, 1)]
States = Annotated[np.ndarray, ArrayOf(np.float16, 2)]
Weights = Annotated[np.ndarray, ArrayOf(np.float16, 4)]


@dataclass(frozen=True)
class Tokens:
    """A text as the model sees it: ids, the pieces they stand for, the word each belongs to.

    special: whether a token stands for no text, as ends and languages do. spans: from which
    character of the text to before which one a token stands, without the white space before it; in
    order and apart, empty where it stands for no character.
    """

    text: str
    ids: Annotated[tuple[int, ...], SOURCE]
    pieces: Annotated[tuple[Piece, ...], SOURCE]
    words: Annotated[tuple[int, ...], SOURCE]
    special: Annotated[tuple[bool, ...], SOURCE]
    spans: Spans

    def __len__(self) -> int:
        """Count the tokens."""
        return len(self.ids)


@dataclass(frozen=True)
class Given:
    """A text as it was given, before it was made ready, and where each source token stands in it.

    What the model did not read, such as the end of a long text, is of no token; a token that is not
    in it, such as one of an instruction, has an empty span.
    """

    text: str
    spans: Spans


@dataclass(frozen=True, eq=False)
class Alternatives:
    """The most probable tokens of each step, best first: all are (target, k)."""

    ids: Annotated[np.ndarray, ArrayOf(np.int64, 2)]
    pieces: Annotated[tuple[Annotated[tuple[Piece, ...], AtMost(MAX_ALTERNATIVES)], ...], TARGET]
    log_probabilities: Annotated[np.ndarray, ArrayOf(np.float32, 2)]


@dataclass(frozen=True)
class Output:
    """One of the n best outputs. log_probability: of the whole; score: what it was ranked by.

    discount: as a Hypothesis has it; the scores of the beam tree know none.
    """

    text: str
    pieces: Annotated[tuple[Piece, ...], TARGET]
    log_probability: float
    score: float
    finished: bool
    node: int
    discount: float = 0.0


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
    precision: what the whole run multiplied in, its search and the pass that recorded it.
    given: the text as it was given, None for a recording and where it is that of the source.
    notes: sentences on what was changed before the model read it. interventions: what was changed
    inside the run.
    """

    checkpoint: Name
    task: Name
    options: Options
    notes: Annotated[tuple[Note, ...], AtMost(30)]
    source: Tokens
    target: Tokens
    log_probabilities: Numbers
    ranks: Annotated[np.ndarray, ArrayOf(np.int64, 1)]
    alternatives: Alternatives
    encoder_states: States
    decoder_states: States
    contexts: States
    attention: Weights | None
    outputs: Annotated[tuple[Output, ...], AtMost(MAX_BEAM_WIDTH)]
    beam_tree: BeamTree
    beam_pieces: Annotated[tuple[Piece, ...], AtMost(MAX_NODES)]
    seconds: Annotated[dict[Name, float], AtMost(3)]
    position_seconds: float = 0.0
    precision: Name = "float32"
    encoder_attention: Weights | None = None
    decoder_attention: Weights | None = None
    copying: Annotated[np.ndarray, ArrayOf(np.float16, 1)] | None = None
    given: Given | None = None
    interventions: Interventions = NOTHING
    format: Name = FORMAT

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
    def read(self) -> Given:
        """The text as it was given, and where each source token stands in it."""
        return self.given or Given(self.source.text, self.source.spans)

    @property
    def probabilities(self) -> np.ndarray:
        """Probability of each chosen token, (target,)."""
        return np.exp(self.log_probabilities)

    def __repr__(self) -> str:
        """Write what was read and written, and how much of it is here."""
        read = quote(self.source.text) if self.source.text else "a recording"
        inside = "no attention"
        if self.attention is not None:
            layers, heads = self.attention.shape[1:3]
            inside = f"attention {layers} x {heads} (layers x heads)"
        return (
            f"Trace({self.checkpoint}: {read} -> {quote(self.text)},\n"
            f"      {len(self.source)} source tokens, {len(self.target)} output tokens, {inside}, "
            f"{len(self.outputs)} outputs)"
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: output tokens, their probabilities and attention.

        The weights are the mean of all layers and heads.
        """
        read = self.source.text or "a recording"
        weights = self.attention
        return trace_html.to_html(
            trace_html.Table(
                title=f"{self.checkpoint}: {read} → {self.text}",
                source=tuple(map(shown, self.source.pieces)),
                target=tuple(map(shown, self.target.pieces)),
                probabilities=self.probabilities,
                weights=None if weights is None else weights.astype(np.float32).mean(axis=(1, 2)),
            )
        )

    def to_json(self, compact: bool = False) -> bytes:
        """Write as JSON; from_json gives back the same numbers.

        The best output stands in front as `text`, for programs that want nothing else.
        compact: states and attention in base64, in place of nested lists.
        """
        return trace_json.write(self, compact, text=self.text)

    def to_file(self) -> bytes:
        """Write as compact JSON that from_json and the page accept.

        Self-attention is left out, with a note, where the file would be too large with it. Raises
        UserError where it is too large without.
        """
        if (saved := self.for_file()) is None:
            raise UserError("This run is too large to be saved: choose a shorter text.")
        return saved.to_json(compact=True)

    def for_file(self) -> Trace | None:
        """Return what of this run fits into a file, None where too little of it does."""
        if _packed_bytes(self) <= trace_json.MAX_BYTES:
            return self
        note = "Self-attention was left out of this file: it would have been too large with it."
        less = replace(
            self, encoder_attention=None, decoder_attention=None, notes=(*self.notes, note)
        )
        return less if _packed_bytes(less) <= trace_json.MAX_BYTES else None

    @classmethod
    def from_json(cls, text: bytes | str) -> Trace:
        """Read what to_json wrote. Raises UserError for anything else."""
        try:
            values = _upgraded(trace_json.parse(text))
            best = values.pop("text")
            trace = trace_json.read(cls, values)
            _check(trace)
            if best != trace.text:
                raise ValueError("another text than the best output's")
        except UserError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError):
            raise UserError("This file is not a run saved by this app: save one as JSON.") from None
        return trace


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


def _upgraded(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a saved run, of this format or an older one, as this format has them.

    Raises UserError for a format that is not known.
    """
    if values["format"] not in (FORMAT, *UPGRADES):
        raise UserError("This run was saved by another version: run it again.")
    while values["format"] != FORMAT:
        values = UPGRADES[values["format"]](values)
    options, outputs = values.get("options"), values.get("outputs")
    if isinstance(options, dict):
        values = values | {"options": LATER | options}
    if isinstance(outputs, list) and all(isinstance(each, dict) for each in outputs):
        values = values | {"outputs": [{"discount": 0.0, **each} for each in outputs]}
    return values


def _from_3(values: dict[str, Any]) -> dict[str, Any]:
    tree = values["beam_tree"]
    sides = {
        side: {**values[side], "special": list(special_by_spelling(values[side]["pieces"]))}
        for side in ("source", "target")
    }
    return {
        **values,
        **sides,
        "format": "seq2seq-trace/4",
        "options": {"prefix_tokens": [], **values["options"]},
        "beam_tree": {RENAMED.get(name, name): column for name, column in tree.items()},
    }


def _from_4(values: dict[str, Any]) -> dict[str, Any]:
    sides = {
        side: {**values[side], "spans": list(map(list, _saved_spans(values[side])))}
        for side in ("source", "target")
    }
    return {**values, **sides, "given": None, "format": FORMAT}


def _saved_spans(tokens: dict[str, Any]) -> tuple[Span, ...]:
    text, pieces = tokens["text"], tokens["pieces"]
    if len(text) + sum(map(len, pieces)) > 2 * MAX_CHARACTERS:
        raise ValueError("too many characters")
    return spans_by_spelling(text, pieces, tokens["special"])


UPGRADES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "seq2seq-trace/3": _from_3,
    "seq2seq-trace/4": _from_4,
}
LATER: dict[str, Any] = {
    "mmi_weight": 0.0,
    "previous_tokens": [],
    "repetition_penalty": 1.0,
}  # options that runs saved before do not have
RENAMED = {"cumulated": "cumulative", "fate": "status"}  # columns of format 3

# Tokens that stand for no text, as vocabularies write them: <s>, <|en|>, [SEP], >>fra<<, __en__,
# fra_Latn, en_XX; but not a byte, <0x0A>.
_SPECIAL = re.compile(r"<(?!0x)[^<>]*>|\[[A-Z]+\]|>>.+<<|__\w+__|[a-z]{2,3}_[A-Z][A-Za-z]{1,3}")


def special_by_spelling(pieces: Sequence[str]) -> tuple[bool, ...]:
    """Guess of each piece whether it is special, for runs saved without that."""
    return tuple(_SPECIAL.fullmatch(piece[:MAX_NAME]) is not None for piece in pieces)


def spans_by_spelling(
    text: str, pieces: Sequence[str], special: Sequence[bool]
) -> tuple[Span, ...]:
    """Guess where in a text its tokens stand, for runs saved without that."""
    written = zip(pieces, special, strict=True)
    surfaces = ["" if apart else piece.replace("▁", " ") for piece, apart in written]
    return cover(place(surfaces, text), text)


def _check(trace: Trace) -> None:
    """Raise ValueError where parts do not fit together, so that every figure can rely on them."""
    source, target = len(trace.source), len(trace.target)
    _check_tokens(trace.source)
    _check_tokens(trace.target)
    if trace.given is not None:
        _check_spans(trace.given.spans, trace.given.text, source)
    edits = trace.interventions.attention
    if target > MAX_LENGTH or any(not 0 <= edit.step < MAX_LENGTH for edit in edits):
        raise ValueError
    seconds = [*trace.seconds.values(), trace.position_seconds]
    if set(trace.seconds) != {"encode", "search", "record"} or min(seconds) < 0:
        raise ValueError
    _check_shapes(trace)
    _check_ranges(trace)
    _check_tree(trace)
    layers, heads = (0, 0) if trace.attention is None else trace.attention.shape[1:3]
    trace.interventions.check(source, layers, heads)


def _check_tokens(tokens: Tokens) -> None:
    columns = (tokens.ids, tokens.pieces, tokens.words, tokens.special)
    if not tokens.ids or len({len(column) for column in columns}) > 1:
        raise ValueError
    if any(step not in (0, 1) for step in np.diff(tokens.words, prepend=-1)[1:]):
        raise ValueError
    if tokens.words[0] != 0:
        raise ValueError
    _check_spans(tokens.spans, tokens.text, len(tokens))


def _check_spans(spans: Sequence[Span], text: str, count: int) -> None:
    if len(spans) != count or any(len(span) != 2 for span in spans):
        raise ValueError
    ends = [0, *(end for span in spans for end in span), len(text)]
    if any(before > after for before, after in pairwise(ends)):
        raise ValueError


def _check_shapes(trace: Trace) -> None:
    source, target, alternatives = len(trace.source), len(trace.target), trace.alternatives
    count = alternatives.ids.shape[-1]
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


def _check_ranges(trace: Trace) -> None:
    for array, low, high in (
        (trace.log_probabilities, -np.inf, 0),
        (trace.alternatives.log_probabilities, -np.inf, 0),
        (trace.ranks, 0, np.inf),
        (trace.attention, 0, 1),
        (trace.encoder_attention, 0, 1),
        (trace.decoder_attention, 0, 1),
        (trace.copying, 0, 1),
    ):
        if array is not None and (array.min() < low or array.max() > high + ROUNDING):
            raise ValueError


ROUNDING = 1e-3  # of a weight or probability of 1


def _packed_bytes(trace: Trace) -> int:
    """Return about how many bytes of compact JSON a trace takes; rather more than fewer."""
    states = (trace.encoder_states, trace.decoder_states, trace.contexts)
    weights = (trace.attention, trace.encoder_attention, trace.decoder_attention)
    lists = 100 * len(trace.beam_pieces) + 8 * MAX_CHARACTERS * len(trace.outputs)
    arrays = sum(array.nbytes for array in (*states, *weights) if array is not None)
    return arrays * 4 // 3 + lists + 2_000_000


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
    if not np.isin(tree.status, range(len(STATUSES))).all() or tree.rank.min() < 0:
        raise ValueError
    if not trace.outputs or any(not 0 <= output.node < count for output in trace.outputs):
        raise ValueError
