"""How a summary lies over its text: which words it copied, and where the words of a record are.

The measures are those of Grusky, Naaman and Artzi 2018, "Newsroom", section 4: a summary is cut
greedily into the longest fragments that it shares with its source.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from seq2seq.trace import Tokens

_TERM = re.compile(r"\w+(?:['’-]\w+)*")


class Span(NamedTuple):
    """A word of a text: from its first character to before `end`."""

    start: int
    end: int


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
    places = [[Span(*found.span()) for found in _TERM.finditer(text)] for text in (source, summary)]
    read = [source[start:end].casefold().replace("’", "'") for start, end in places[0]]
    said = [summary[start:end].casefold().replace("’", "'") for start, end in places[1]]
    shared = fragments(read, said)
    count = max(1, len(said))
    pairs = list(pairwise(said))
    known = set(pairwise(read))
    return Overlap(
        tuple(shared),
        sum(each.length for each in shared) / count,
        sum(each.length**2 for each in shared) / count,
        sum(pair not in known for pair in pairs) / max(1, len(pairs)),
        tuple(places[0]),
        tuple(places[1]),
    )


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
    return [Span(*found.span()) for found in re.finditer(r"\S+", text)]


def places_of(tokens: Tokens, text: str) -> list[int | None]:
    """Return for each token which word of a text it is part of, None for special tokens.

    The tokens may be fewer than the text, have an instruction in front of them, and have capitals
    and numbers folded.
    """
    groups: list[list[int]] = []  # tokens of a word; one of characters never seen is no end of it
    alone = True
    for index, (piece, skipped) in enumerate(zip(tokens.pieces, tokens.special, strict=True)):
        if not skipped:
            if alone or piece.startswith("▁"):
                groups.append([])
            groups[-1].append(index)
        alone = skipped
    read = [_letters("".join(tokens.pieces[index] for index in group)) for group in groups]
    known = [_letters(text[start:end]) for start, end in text_words(text)]
    places: list[int | None] = [None] * len(tokens)
    i = j = 0
    while i < len(read) and j < len(known):
        for row, column in ((i + down, j + right) for down, right in _NEAR):
            if row < len(read) and column < len(known):
                cut = row == len(read) - 1 and known[column].startswith(read[row])
                if read[row] == known[column] or cut:
                    i, j = row, column
                    for index in groups[i]:
                        places[index] = j
                    break
        i, j = i + 1, j + 1
    return places


# Steps on in a record and in its text, where they differ; the shortest first.
_NEAR = sorted(((i, j) for i in range(8) for j in range(8)), key=sum)


def _letters(word: str) -> str:
    """Return what folding leaves as it is."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return re.sub(r"[\W\d_▁]", "", folded) or "#"
