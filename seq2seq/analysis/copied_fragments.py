"""How a summary lies over its text: which words it copied.

The measures are those of Grusky, Naaman and Artzi 2018, "Newsroom", section 4: a summary is cut
greedily into the longest fragments that it shares with its source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from seq2seq.data.spans import Span

_TERM = re.compile(r"\w+(?:['’-]\w+)*")


class Fragment(NamedTuple):
    """Words in a row that a summary shares with its source; each begins at a word's number."""

    source: int
    summary: int
    length: int


class Overlap(NamedTuple):
    """What of a summary stands in its source.

    coverage: share of its words that are part of a fragment. density: mean length of the fragment
    that a word of it is part of, 0 for a word in none. novel_pairs: share of its pairs of
    neighbouring words that the source does not have. source, summary: their terms, in order.
    """

    fragments: tuple[Fragment, ...]
    coverage: float
    density: float
    novel_pairs: float
    source: tuple[Span, ...]
    summary: tuple[Span, ...]


def overlap(source: str, summary: str) -> Overlap:
    """Compare two texts word by word; capitals and punctuation do not count."""
    spans = [tuple(found.span() for found in _TERM.finditer(text)) for text in (source, summary)]
    source_words, summary_words = _folded(source, spans[0]), _folded(summary, spans[1])
    shared = fragments(source_words, summary_words)
    count = max(1, len(summary_words))
    pairs = list(pairwise(summary_words))
    known = set(pairwise(source_words))
    return Overlap(
        tuple(shared),
        sum(each.length for each in shared) / count,
        sum(each.length**2 for each in shared) / count,
        sum(pair not in known for pair in pairs) / max(1, len(pairs)),
        *spans,
    )


def _folded(text: str, spans: Sequence[Span]) -> list[str]:
    return [text[start:end].casefold().replace("’", "'") for start, end in spans]


def fragments(source: Sequence[str], summary: Sequence[str]) -> list[Fragment]:
    """Cut a summary into the longest fragments that its source has too, from left to right.

    Of equally long ones the next in the source is taken, so that a text made shorter by leaving
    words away is found in order.
    """
    places: dict[str, list[int]] = {}
    for place, word in enumerate(source):
        places.setdefault(word, []).append(place)
    found: list[Fragment] = []
    here, after = 0, 0
    while here < len(summary):
        best = Fragment(0, here, 0)
        starts = places.get(summary[here], [])
        for start in sorted(starts, key=lambda place: (place < after, place)):
            length = 0
            for left, right in zip(source[start:], summary[here:], strict=False):
                if left != right:
                    break
                length += 1
            if length > best.length:
                best = Fragment(start, here, length)
        if best.length:
            found.append(best)
            after = best.source + best.length
        here += max(1, best.length)
    return found


def text_words(text: str) -> list[Span]:
    """Return the words of a text as they are written: what white space separates."""
    return [found.span() for found in re.finditer(r"\S+", text)]
