"""Attention weights as one matrix, by kind, layer and head; and what can be measured of them."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Literal, NamedTuple, TypedDict

import numpy as np
from numpy.typing import ArrayLike

from seq2seq.trace import Tokens, Trace, label, words

Pick = int | Literal["mean", "max"]
OPENING = tuple('"([{«“„¿¡')
KINDS = ("cross", "encoder", "decoder")


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


class MatrixAxis(NamedTuple):
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
    rows: MatrixAxis
    columns: MatrixAxis


def runs_right_to_left(tokens: Tokens) -> bool:
    """Tell whether most letters of a text belong to a script that is written from the right."""
    kinds = [unicodedata.bidirectional(letter) for letter in tokens.text]
    return 2 * sum(kind in ("R", "AL") for kind in kinds) > sum(
        kind in ("L", "R", "AL") for kind in kinds
    )


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
    row_words = word_groups(row_tokens) if by_word else np.arange(len(row_tokens))
    column_words = row_words
    if which == "cross":
        column_words = word_groups(trace.source) if by_word else np.arange(len(trace.source))
    if which == "decoder":  # a step reads what was written before it; the first a start token
        column_words = np.array([0, *(row_words[:-1] + 1)])
        kept = int(column_words[-1])
        across = MatrixAxis(
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


def strongest(found: Grid, count: int) -> list[list[tuple[int, float]]]:
    """Return the columns that each row gave most weight to, best first, as (column, weight)."""
    order = np.argsort(-found.weights, axis=1, kind="stable")[:, :count]
    return [
        [(int(column), float(row[column])) for column in columns]
        for row, columns in zip(found.weights, order, strict=True)
    ]


def word_groups(tokens: Tokens) -> np.ndarray:
    """Number the word or punctuation mark that each token belongs to, from 0, (tokens,).

    Marks around a word are apart from it, unlike those inside: of "don't." the full stop alone.
    """
    marks = [not any(map(str.isalnum, piece)) for piece in tokens.pieces]
    numbers, word = tokens.words, -1
    groups = []
    for place, number in enumerate(numbers):
        same = place > 0 and number == numbers[place - 1]
        rest = [marks[other] for other in range(place, len(marks)) if numbers[other] == number]
        closing = all(rest) and not marks[place - 1]
        opened = same and not marks[place] and tokens.pieces[place - 1][-1:] in OPENING
        word += not same or closing or opened
        groups.append(word)
    return np.array(groups)


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


def _side(trace: Trace, tokens: Tokens, by_word: bool) -> MatrixAxis:
    seconds = trace.position_seconds if tokens is trace.source else 0.0
    if by_word:
        groups = word_groups(tokens)
        first = np.unique(groups, return_index=True)[1].tolist()
        labels = list(words(replace(tokens, words=tuple(groups.tolist()))))
    else:
        labels = [label(piece) for piece in tokens.pieces]
        first = list(range(len(tokens)))
    return MatrixAxis(labels, first, len(tokens), list(range(1, len(labels) + 1)), seconds)


def _cut(numbers: np.ndarray, side: MatrixAxis, kept: range) -> tuple[np.ndarray, MatrixAxis]:
    """Return the words of the tokens that are kept, and the side that is left."""
    cut = numbers[kept.start : kept.stop]
    part = slice(int(cut[0]), int(cut[-1]) + 1)
    after = [*side.tokens, side.end][part.stop]
    left = MatrixAxis(side.labels[part], side.tokens[part], after, side.numbers[part], side.seconds)
    return cut, left
