"""Where in a text its tokens stand: spans of characters, from a start to before an end.

Spans of one text are in order and apart from each other. A token that stands for no character, such
as the end of a sentence, has an empty one at its place.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any

from seq2seq.data.typography import PUNCTUATION

Span = tuple[int, int]

# Categories of characters that nobody sees: controls, formats, halves of pairs, unassigned ones.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_MAX_PRODUCT = 1_000_000  # of the lengths of two spellings that are compared letter by letter


def cover(spans: Sequence[Span], text: str) -> tuple[Span, ...]:
    """Return the spans that a tokenizer gave, made to cover its text but for white space.

    Of what several tokens share, the first one has it; what none has, such as a character that was
    dropped when the text was normalized, goes to the token before it, or to the first one.
    """
    found = [list(span) for span in _apart(spans, text)]
    filled = [span for span in found if span[0] < span[1]]
    if filled:
        first = filled[0][0] = len(text) - len(text.lstrip())
        for span in found[: found.index(filled[0])]:
            span[:] = (first, first)
        ends = [*(start for start, _ in filled[1:]), len(text)]
        for span, end in zip(filled, ends, strict=True):
            span[1] += len(text[span[1] : end].rstrip())
    return _apart([(start, end) for start, end in found], text)


def place(surfaces: Sequence[str], text: str) -> tuple[Span, ...]:
    """Find in a text what each of its tokens stands for, "" for nothing.

    surfaces: in order; what they are joined to may differ from the text in white space, capitals,
    punctuation and compatible characters, and be a part of it. Where it differs in more, a token
    gets what is nearest.
    """
    owners: list[int] = []
    written = ""
    for number, surface in enumerate(surfaces):
        letters, _ = _letters(surface)
        written += letters
        owners += [number] * len(letters)
    letters, places = _letters(text)
    spans: list[Span | None] = [None] * len(surfaces)
    for mine, there in _matches(written, letters):
        start, _ = spans[owners[mine]] or (places[there], 0)
        spans[owners[mine]] = (start, places[there] + 1)
    return _apart(_filled(spans), text)


def containing(spans: Sequence[Span], parts: Sequence[Span]) -> list[int | None]:
    """Return the number of the part of a text in which each span begins, None for no part.

    parts: in order and apart. An empty span is in none.
    """
    starts = [start for start, _ in parts]
    found: list[int | None] = []
    for start, end in spans:
        number = bisect_right(starts, start) - 1
        inside = start < end and number >= 0 and start < parts[number][1]
        found.append(number if inside else None)
    return found


def byte_surfaces(parts: Sequence[bytes]) -> tuple[str, ...]:
    """Return what each part of a text in UTF-8 adds to it.

    A character belongs to the part that it begins in; bytes that make no character are U+FFFD.
    """
    surfaces = [""] * len(parts)
    ends = list(accumulate(map(len, parts)))
    begun = 0
    for character in b"".join(parts).decode("utf-8", "surrogateescape"):
        number = bisect_right(ends, begun)
        lone = "\udc80" <= character <= "\udcff"
        surfaces[number] += "\ufffd" if lone else character
        begun += 1 if lone else len(character.encode())
    return tuple(surfaces)


def _apart(spans: Sequence[Span], text: str) -> tuple[Span, ...]:
    """Return the spans without white space around them, none beginning before the last one ends."""
    found, last = [], 0
    for start, end in spans:
        start = min(max(start, last), len(text))
        end = min(max(end, start), len(text))
        inside = text[start:end]
        start += len(inside) - len(inside.lstrip())
        last = start + len(text[start:end].rstrip())
        found.append((start, last))
    return tuple(found)


def _filled(spans: Sequence[Span | None]) -> list[Span]:
    """Return an empty span, at the end of the one before, for what has none."""
    found, last = [], 0
    for span in spans:
        found.append(span or (last, last))
        last = found[-1][1]
    return found


def _letters(text: str) -> tuple[str, list[int]]:
    """Return what the spellings of a text share, and where in it each letter of that stands."""
    letters, places = "", []
    for number, character in enumerate(text):
        shared = _shared(character)
        letters += shared
        places += [number] * len(shared)
    return letters, places


def _shared(character: str) -> str:
    if character.isspace():
        return ""
    plain = PUNCTUATION.get(character, character)
    if plain.isascii():
        return plain.lower()
    folded = unicodedata.normalize("NFKD", plain).casefold()
    return "".join(each for each in folded if unicodedata.category(each) not in _UNSEEN)


def _matches(written: str, letters: str) -> Iterator[tuple[int, int]]:
    """Yield which letter of the first text each letter of the second is, in order."""
    first = letters.rfind(written) if letters.endswith(written) else letters.find(written)
    if first >= 0:
        yield from ((number, first + number) for number in range(len(written)))
        return
    begun = _same(written, letters)
    ended = _same(written[begun:][::-1], letters[begun:][::-1])
    a, c = len(written) - ended, len(letters) - ended
    yield from ((number, number) for number in range(begun))
    for one, other in _aligned(written[begun:a], letters[begun:c]):
        yield begun + one, begun + other
    yield from ((a + number, c + number) for number in range(ended))


def _same(one: str, other: str) -> int:
    """Count the letters with which both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))


def _aligned(written: str, letters: str) -> Iterator[tuple[int, int]]:
    """Yield the same for texts that differ from the first letter on, and up to the last one."""
    whole: list[Any] = [("replace", 0, len(written), 0, len(letters))]
    if not written or not letters:
        return
    if len(written) * len(letters) <= _MAX_PRODUCT:
        whole = SequenceMatcher(None, written, letters, autojunk=False).get_opcodes()
    for kind, a, b, c, d in whole:
        if kind in ("equal", "replace"):
            yield from ((a + (n - c) * (b - a) // (d - c), n) for n in range(c, d))
