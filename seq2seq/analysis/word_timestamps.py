"""When each output token was said: the one way through the attention that never goes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seq2seq.trace import Tokens, Trace, words


class Alignment(NamedTuple):
    """Output tokens and the time they take, in order.

    path: (cells, 2), output token and source position, from 0; neither ever goes back. starts,
    ends: (target,), seconds from the start of the recording. monotonicity: share of the steps from
    one token to the next at which the position looked at most does not go back. on_path: share of
    the attention that lies on the path.
    """

    path: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    monotonicity: float
    on_path: float


class TimedWord(NamedTuple):
    """A word of the output, when it was said in seconds, and how probable all of it was."""

    text: str
    start: float
    end: float
    probability: float


def align(trace: Trace, layer: int | None = None, head: int | None = None) -> Alignment:
    """Give each output token its stretch of a recording, by dynamic time warping.

    The path runs from the first token and position to the last ones and gathers as much attention
    as there can be, counted from the mean over all tokens, so that a position at which all of them
    look draws none (Sakoe & Chiba 1978; the times of words of Whisper are found in the same way,
    from scores instead of differences). layer, head: whose attention, None for the mean.
    Raises ValueError for a trace without attention, or of a text.
    """
    if trace.attention is None or not trace.position_seconds:
        raise ValueError("only attention to a recording tells times")
    weights = heads_mean(trace.attention, layer, head)
    path = warp(weights.mean(axis=0) - weights)
    tokens, positions = path.T
    each = trace.position_seconds
    first = np.searchsorted(tokens, np.arange(len(weights)))
    last = np.searchsorted(tokens, np.arange(len(weights)), side="right") - 1
    return Alignment(
        path,
        positions[first] * each,
        (positions[last] + 1) * each,
        monotonicity(weights),
        float(weights[tokens, positions].sum() / max(weights.sum(), 1e-9)),
    )


def heads_mean(attention: np.ndarray, layer: int | None, head: int | None) -> np.ndarray:
    """Return attention (target, layers, heads, source) of one layer or head: (target, source)."""
    chosen = attention[:, slice(None) if layer is None else slice(layer, layer + 1)]
    chosen = chosen[:, :, slice(None) if head is None else slice(head, head + 1)]
    return chosen.mean(axis=(1, 2), dtype=np.float64)


def warp(costs: np.ndarray) -> np.ndarray:
    """Return the cheapest path through costs (rows, columns), from corner to corner: (cells, 2).

    A step goes to the next row, the next column, or both.
    """
    rows, columns = costs.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0
    for row in range(rows):
        # Along a row, a cell is reached from the row before and then straight on: what that costs
        # is a difference of sums, so that the best place to enter is a running minimum.
        entered = np.minimum(total[row, :-1], total[row, 1:])
        along = costs[row].cumsum()
        best = np.minimum.accumulate(entered - (along - costs[row]))
        total[row + 1, 1:] = along + best
    row, column = rows, columns
    path = []
    while row and column:
        path.append((row - 1, column - 1))
        before = ((row - 1, column - 1), (row - 1, column), (row, column - 1))
        row, column = min(before, key=lambda place: total[place])
    return np.array(path[::-1])


def monotonicity(weights: np.ndarray) -> float:
    """Return how many of the steps between rows do not go back: a share, 1 for a single row.

    weights: (target, source). Where a step is, is the position with the most weight.
    """
    peaks = weights.argmax(axis=1)
    return float((np.diff(peaks) >= 0).mean()) if len(peaks) > 1 else 1.0


def best_head(attention: np.ndarray) -> tuple[int, int]:
    """Return layer and head, from 0, that go back the least; of equals the most concentrated.

    attention: (target, layers, heads, source).
    """
    forward = (np.diff(attention.argmax(axis=3), axis=0) >= 0).sum(axis=0)
    concentrated = attention.max(axis=3).mean(axis=0, dtype=np.float64)
    places = list(np.ndindex(forward.shape))
    layer, head = max(places, key=lambda place: (forward[place], concentrated[place]))
    return layer, head


def timed_words(trace: Trace, alignment: Alignment, special: bool = False) -> list[TimedWord]:
    """Return the words of the output with their times; special tokens too where asked for."""
    found = []
    numbers = np.array(trace.target.words)
    for number, text in enumerate(words(trace.target)):
        tokens = np.flatnonzero(numbers == number).tolist()
        if special or not trace.target.special[tokens[0]]:
            log = trace.log_probabilities[tokens].sum(dtype=np.float64)
            start, end = span(trace.target, alignment, tokens)
            found.append(TimedWord(text, start, end, float(np.exp(log))))
    return found


def span(target: Tokens, alignment: Alignment, tokens: Sequence[int]) -> tuple[float, float]:
    """Return when neighbouring tokens were said, in seconds.

    A space that begins them is the pause before, so it is left out.
    """
    spoken = [token for token in tokens if target.spans[token][0] < target.spans[token][1]]
    spoken = spoken or list(tokens)
    return float(alignment.starts[spoken[0]]), float(alignment.ends[spoken[-1]])


def shown_tokens(target: Tokens, special: bool) -> list[int]:
    """Return the numbers of the tokens that are shown: all, or those that stand for text.

    Where none of them does, all are shown.
    """
    written = [number for number, skipped in enumerate(target.special) if not skipped]
    return list(range(len(target))) if special or not written else written
