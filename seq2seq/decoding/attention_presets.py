"""Rows of attention to put in for a step's own: pure functions, (source,) to (source,), sum 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def one_hot(words: Sequence[int], word: int) -> np.ndarray:
    """Look at one word only, its tokens alike. words: number of the word of each source token."""
    return by_word(words, [float(number == word) for number in range(max(words) + 1)])


def uniform(words: Sequence[int]) -> np.ndarray:
    """Look at all source tokens alike."""
    return np.full(len(words), 1 / len(words))


def shifted(row: np.ndarray, by: int) -> np.ndarray:
    """Look so many tokens further on, or back; what would leave the source stays at its end."""
    moved = np.zeros(len(row))
    places = np.clip(np.arange(len(row)) + by, 0, len(row) - 1)
    np.add.at(moved, places, row)
    return moved / moved.sum()


def swapped(row: np.ndarray, words: Sequence[int], first: int, second: int) -> np.ndarray:
    """Exchange what two words get."""
    shares = np.bincount(words, weights=row)
    shares[[first, second]] = shares[[second, first]]
    return by_word(words, shares)


def by_word(words: Sequence[int], shares: Sequence[float] | np.ndarray) -> np.ndarray:
    """Give each word its share, divided by all shares; its tokens have equal parts of it.

    All 0 where all shares are.
    """
    given = np.asarray(shares, dtype=np.float64)
    counts = np.bincount(words)
    row = (given / counts)[np.asarray(words)]
    return row / row.sum() if row.sum() else row
