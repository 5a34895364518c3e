"""Which words translate which, learned from pairs of sentences alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from seq2seq.data.parallel_corpus import Pair

ITERATIONS, LEAST = 4, 0.04
MAX_WORDS = 30  # of a sentence; what follows is left out
_WORD = re.compile(r"[^\W\d_]+|\d+")


def lexicon(pairs: Sequence[Pair]) -> dict[str, frozenset[str]]:
    """Return the translations of each source word whose probability is LEAST or more.

    IBM Model 1 (Brown et al. 1993, section 4.1): a few rounds of expectation maximisation over all
    alignments of target words to source words, or to none. Words are in small letters.
    """
    sources, targets = _numbered(pair.source for pair in pairs), _numbered(p.target for p in pairs)
    left, right, sentence = _cells(sources[0], targets[0])
    size = len(targets[1])
    codes, cell = np.unique(left * size + right, return_inverse=True)
    owner = codes // size
    chance = np.ones(len(codes))
    for _ in range(ITERATIONS):
        weight = chance[cell]
        weight /= np.bincount(sentence, weight)[sentence]
        count = np.bincount(cell, weight, len(codes))
        chance = count / np.bincount(owner, count)[owner]
    kept = np.flatnonzero(chance >= LEAST)
    found: dict[str, set[str]] = {}
    for code in codes[kept].tolist():
        found.setdefault(sources[1][code // size], set()).add(targets[1][code % size])
    return {word: frozenset(others) for word, others in found.items()}


def spoken_words(text: str) -> list[str]:
    """Return the words of a text in small letters, and its numbers."""
    return _WORD.findall(text.lower())


def stem(word: str) -> str:
    """Return what of a word stays the same in most of its forms, as a guess: not its ending."""
    return word[: max(4, len(word) - 3)]


def _numbered(texts: Iterable[str]) -> tuple[list[np.ndarray], list[str]]:
    """Return the numbers of the words of each text, and the words by number; 0 is for none."""
    numbers: dict[str, int] = {"": 0}
    rows = [
        np.array(
            [numbers.setdefault(word, len(numbers)) for word in spoken_words(text)[:MAX_WORDS]]
        )
        for text in texts
    ]
    return rows, list(numbers)


def _cells(
    sources: Sequence[np.ndarray], targets: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each possible alignment: source word, target word, and which target word of all."""
    left, right, place, done = [], [], [], 0
    for source, target in zip(sources, targets, strict=True):
        known = np.append(source, 0).astype(np.int64)
        left.append(np.tile(known, len(target)))
        right.append(np.repeat(target.astype(np.int64), len(known)))
        place.append(np.repeat(np.arange(done, done + len(target)), len(known)))
        done += len(target)
    return np.concatenate(left), np.concatenate(right), np.concatenate(place)
