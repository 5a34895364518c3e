"""Attention weights as one matrix, by kind, layer and head; and what can be measured of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from seq2seq.passages import special
from seq2seq.trace import Tokens, Trace, label, words

Pick = int | Literal["mean", "max"]
KINDS = ("cross", "encoder", "decoder")

# A source word that got less than UNTRANSLATED words' worth of attention, or more than TWICE.
UNTRANSLATED, TWICE = 0.3, 1.5
# A row is diffuse from this share of the entropy that looking everywhere alike would have.
DIFFUSE, FEWEST = 0.75, 4


class Picks(TypedDict, total=False):
    """Layer and head, from 0, or the "mean" or "max" of them."""

    layer: Pick
    head: Pick


class Choice(Picks, total=False):
    """Which weights are looked at.

    which: "cross", or the self-attention of the "encoder" or the "decoder". by_word: merge pieces
    to words; weights are added over what was looked at, averaged over who looked. rows, columns:
    keep these tokens only, None for all.
    """

    which: str
    by_word: bool
    rows: range | None
    columns: range | None


class Side(NamedTuple):
    """The rows or the columns of a matrix.

    labels: as shown. tokens: the first token of each, from 0; -1 for the start token that a decoder
    reads. end: the token after the last. numbers: their places in the text, from 1. seconds: what
    each lasts; 0 unless heard.
    """

    labels: list[str]
    tokens: list[int]
    end: int
    numbers: list[int]
    seconds: float = 0.0

    def __len__(self) -> int:
        """Count the rows or columns."""
        return len(self.labels)

    def place(self, token: int) -> int | None:
        """Return the row or column that a token is in, None if it is not there."""
        found = int(np.searchsorted(self.tokens, token, side="right")) - 1
        return found if found >= 0 and token < self.end else None


class Grid(NamedTuple):
    """Attention as it is drawn: weights (rows, columns); who looks down, what is seen across."""

    weights: np.ndarray
    rows: Side
    columns: Side


def has(trace: Trace, which: str) -> bool:
    """Tell whether a trace holds attention of this kind."""
    return _found(trace, which) is not None


def layers_and_heads(trace: Trace, which: str = "cross") -> tuple[int, int]:
    """Return how many layers and heads there are. Raises ValueError where there is no attention."""
    layers, heads = _looking_first(trace, which).shape[1:3]
    return layers, heads


def grid(
    trace: Trace,
    which: str = "cross",
    layer: Pick = "mean",
    head: Pick = "mean",
    by_word: bool = False,
    rows: range | None = None,
    columns: range | None = None,
) -> Grid:
    """Return the chosen weights as a matrix; the arguments are those of Choice.

    Raises ValueError for a trace without such attention.
    """
    found = _looking_first(trace, which)
    row_tokens = trace.source if which == "encoder" else trace.target
    down = _side(trace, row_tokens, by_word)
    across = _side(trace, trace.target if which == "decoder" else trace.source, by_word)
    row_words = np.array(row_tokens.words) if by_word else np.arange(len(row_tokens))
    column_words = row_words
    if which == "cross":
        column_words = np.array(trace.source.words) if by_word else np.arange(len(trace.source))
    if which == "decoder":  # a step reads what was written before it; the first a start token
        column_words = np.array([0, *(row_words[:-1] + 1)])
        kept = int(column_words[-1])
        across = Side(
            ["▷", *across.labels[:kept]],
            [-1, *across.tokens[:kept]],
            across.end - 1,
            [0, *across.numbers[:kept]],
        )
    # Cut before the rest is computed: 12 layers of 16 heads are many.
    if rows is not None:
        found, row_words, down = found[rows.start : rows.stop], *_cut(row_words, down, rows)
    if columns is not None:
        found = found[..., columns.start : columns.stop]
        column_words, across = _cut(column_words, across, columns)
    weights = _pick(_pick(found, head, 2), layer, 1)
    if by_word:
        weights = merge(weights, row_words, column_words)
    return Grid(weights, down, across)


def merge(weights: np.ndarray, rows: ArrayLike, columns: ArrayLike) -> np.ndarray:
    """Merge weights (rows, columns) by the numbers of what each row and column belongs to.

    Weights are added over what was looked at and averaged over who looked, so that rows keep their
    sum.
    """
    rows, columns = np.asarray(rows), np.asarray(columns)
    to_columns = np.equal.outer(columns, np.unique(columns)).astype(np.float32)
    to_rows = np.equal.outer(np.unique(rows), rows).astype(np.float32)
    return to_rows / to_rows.sum(axis=1, keepdims=True) @ (weights @ to_columns)


def _found(trace: Trace, which: str) -> np.ndarray | None:
    arrays = (trace.attention, trace.encoder_attention, trace.decoder_attention)
    return dict(zip(KINDS, arrays, strict=True))[which]


def _looking_first(trace: Trace, which: str) -> np.ndarray:
    """Return weights (who looks, layers, heads, what is seen)."""
    found = _found(trace, which)
    if found is None:
        raise ValueError("this trace has no attention of this kind")
    return np.moveaxis(found, 2, 0) if which == "encoder" else found


def _pick(weights: np.ndarray, pick: Pick, axis: int) -> np.ndarray:
    if isinstance(pick, int):
        return weights.take(pick, axis=axis).astype(np.float32)
    if pick == "max":
        return weights.max(axis=axis).astype(np.float32)
    return weights.mean(axis=axis, dtype=np.float32)


def _side(trace: Trace, tokens: Tokens, by_word: bool) -> Side:
    seconds = trace.position_seconds if tokens is trace.source else 0.0
    if by_word:
        labels = list(words(tokens))
        first = np.unique(tokens.words, return_index=True)[1].tolist()
    else:
        labels = [label(piece) for piece in tokens.pieces]
        first = list(range(len(tokens)))
    return Side(labels, first, len(tokens), list(range(1, len(labels) + 1)), seconds)


def _cut(numbers: np.ndarray, side: Side, kept: range) -> tuple[np.ndarray, Side]:
    """Return the words of the tokens that are kept, and the side that is left."""
    cut = numbers[kept.start : kept.stop]
    part = slice(int(cut[0]), int(cut[-1]) + 1)
    after = [*side.tokens, side.end][part.stop]
    left = Side(side.labels[part], side.tokens[part], after, side.numbers[part], side.seconds)
    return cut, left


def entropy(weights: np.ndarray) -> np.ndarray:
    """Return the entropy of each row of (rows, columns) in bit; rows need not sum to 1."""
    shares = _shares(weights)
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)


def coverage(weights: np.ndarray) -> np.ndarray:
    """Return what each column of (rows, columns) got of all rows together."""
    return weights.sum(axis=0)


def smallest_set(weights: np.ndarray, mass: float) -> np.ndarray:
    """Mark the fewest weights of each row that reach a share of the row's sum.

    Returns booleans, (rows, columns). Seq2Seq-Vis draws its links so (Strobelt et al. 2018).
    """
    shares = _shares(weights)
    order = np.argsort(-shares, axis=1, kind="stable")
    falling = np.take_along_axis(shares, order, axis=1)
    # A weight is needed while those before it do not reach the mass.
    needed = falling.cumsum(axis=1) - falling < mass - 1e-6
    marked = np.zeros(weights.shape, dtype=bool)
    np.put_along_axis(marked, order, needed & (falling > 0), axis=1)
    return marked


def _shares(weights: np.ndarray) -> np.ndarray:
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)


class Confidence(NamedTuple):
    """How well attention covers the source and how much it scatters; 0 is best, all are negative.

    coverage_deviation: -1/J sum_j log(1 + (1 - sum_i a_ij)^2). absent_output, absent_input: minus
    the mean entropy (nat) of the rows, and of the columns. Rikters, Fishel and Bojar 2017
    (SoftAlignments), section 3; NMTVis ranks sentences by them (Munz et al. 2022).
    """

    coverage_deviation: float
    absent_output: float
    absent_input: float

    @property
    def total(self) -> float:
        """The sum of all three."""
        return sum(self)


def confidence(weights: np.ndarray) -> Confidence:
    """Measure the weights (output, source) of one sentence."""
    deviation = -np.log1p((1 - coverage(weights)) ** 2).mean()
    absent = [-float(entropy(each).mean()) * math.log(2) for each in (weights, weights.T)]
    return Confidence(float(deviation), *absent)


def means(picks: Picks) -> Picks:
    """Return means in place of maxima, whose rows do not sum to 1."""
    layer, head = picks.get("layer", "mean"), picks.get("head", "mean")
    return {"layer": "mean" if layer == "max" else layer, "head": "mean" if head == "max" else head}


class Finding(NamedTuple):
    """Something that stands out.

    kind: "untranslated", "twice" or "diffuse". token: of the source for the first two, a step for
    the last; from 0. text: the word or piece. value: its attention in words, or the entropy in bit;
    limit: what it passed.
    """

    kind: str
    token: int
    text: str
    value: float
    limit: float


def findings(trace: Trace, layer: Pick = "mean", head: Pick = "mean") -> list[Finding]:
    """Find source words left untranslated or translated twice, and steps that looked everywhere.

    Only words count on both sides: attention rests on ends and full stops for want of anything
    better, so each row is taken as what it gave to words. What leaves words out by design, as a
    summary does, has no words left out. The thresholds are ours; the sums are
    those of SoftAlignments (Rikters et al. 2017). A "max" is measured as the mean.
    """
    by_word = len(set(trace.source.words)) > 2 and not trace.position_seconds
    found = grid(trace, "cross", by_word=by_word, **means({"layer": layer, "head": head}))
    read = _worded(trace.source, by_word)
    written = _worded(trace.target, by_word)
    if trace.position_seconds:
        read[:] = True
    if not read.any() or not written.any():
        return []
    shares = _shares(found.weights[:, read])[written]
    sources, targets = np.flatnonzero(read), np.flatnonzero(written)
    listed: list[Finding] = []
    if covers(trace) and len(sources) > 1:
        listed += _covered(shares, sources, found.columns)
    most = math.log2(len(sources))
    if len(sources) >= FEWEST:
        for row, value in zip(targets, entropy(shares).tolist(), strict=True):
            if value > DIFFUSE * most:
                place = found.rows.tokens[row], found.rows.labels[row]
                listed.append(Finding("diffuse", *place, value, DIFFUSE * most))
    return listed


def covers(trace: Trace) -> bool:
    """Tell whether an output is to say each word of the source once, as a translation does."""
    return trace.task in ("translation", "spelling") and not trace.position_seconds


def _covered(shares: np.ndarray, sources: np.ndarray, side: Side) -> Iterator[Finding]:
    for column, value in zip(sources, coverage(shares).tolist(), strict=True):
        place = side.tokens[column], side.labels[column]
        if value < UNTRANSLATED:
            yield Finding("untranslated", *place, value, UNTRANSLATED)
        elif value > TWICE:
            yield Finding("twice", *place, value, TWICE)


def _worded(tokens: Tokens, by_word: bool) -> np.ndarray:
    """Tell of each word or piece whether it has a letter or a digit and is no special token."""
    silent = special(tokens)
    spoken = [
        any(character.isalnum() for character in piece) and not skipped
        for piece, skipped in zip(tokens.pieces, silent, strict=True)
    ]
    if not by_word:
        return np.array(spoken)
    counted = np.zeros(max(tokens.words) + 1, dtype=int)
    np.add.at(counted, list(tokens.words), spoken)
    return counted > 0
