"""Sentences of a text that is split into tokens, seconds of a recording: what is long, in parts."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from seq2seq.data.sentence_splitting import sentence_ends
from seq2seq.data.spans import Span, containing
from seq2seq.trace import Tokens, Trace

_CLAUSE = re.compile(r"[,;:、，；：]$|^[–—-]$")


def sentences(tokens: Tokens, at_most: int | None = None) -> tuple[int, ...]:
    """Return the number of the sentence that each token belongs to, from 0.

    A full stop ends a sentence unless an abbreviation or a number goes on there. Special tokens
    belong to the sentence before them, those in front to the first. at_most: tokens of a sentence;
    a longer one is cut, after a comma where that is near.
    """
    ends = list(sentence_ends(tokens.text))
    numbers: list[int] = []
    for start, end in tokens.spans:
        last = numbers[-1] if numbers else 0
        numbers.append(last if start == end else bisect_right(ends, start))
    numbers = _consecutive(numbers)
    return tuple(numbers if at_most is None else _cut(tokens, numbers, at_most))


def passages(trace: Trace, which: str, at_most: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the passage of each row and of each column of a kind of attention, from 0.

    They are sentences of so many tokens at most, or seconds where the source was heard. which:
    "cross", "encoder" or "decoder".
    """
    target = sentences(trace.target, at_most)
    if which == "decoder":  # a step reads what was written before it; the first a start token
        return target, (0, *target[:-1])
    if trace.position_seconds:
        source = tuple(int(place * trace.position_seconds) for place in range(len(trace.source)))
    else:
        source = sentences(trace.source, at_most)
    return (source if which == "encoder" else target), source


def texts(tokens: Tokens, numbers: Sequence[int]) -> tuple[str, ...]:
    """Return each passage as it is written, special tokens left out."""
    written = []
    for number in range(numbers[-1] + 1):
        first, after = bisect_left(numbers, number), bisect_right(numbers, number)
        spans = [span for span in tokens.spans[first:after] if span[0] < span[1]]
        written.append(tokens.text[spans[0][0] : spans[-1][1]] if spans else "")
    return tuple(written)


def part_numbers(tokens: Tokens, spans: Sequence[Span], parts: Sequence[Span]) -> list[int | None]:
    """Return which part of a text each token begins in, such as a word of it; None for none.

    spans: where the tokens stand in that text. One that is a mere space, or a later byte of a
    character, is where its word begins; special tokens are nowhere.
    """
    numbers = containing(spans, parts)
    begun: dict[int, int | None] = {}
    for word, (start, end), number in zip(tokens.words, spans, numbers, strict=True):
        if start < end:
            begun.setdefault(word, number)
    columns = zip(tokens.words, tokens.special, spans, numbers, strict=True)
    return [
        begun.get(word) if start == end and not apart else number
        for word, apart, (start, end), number in columns
    ]


def _consecutive(numbers: list[int]) -> list[int]:
    order = {number: place for place, number in enumerate(dict.fromkeys(numbers))}
    return [order[number] for number in numbers]


def _cut(tokens: Tokens, numbers: list[int], at_most: int) -> list[int]:
    """Cut sentences of more tokens: in equal parts, moved to a comma where one is near."""
    cut, last = [], -1
    for number in dict.fromkeys(numbers):
        first, count = numbers.index(number), numbers.count(number)
        parts = -(-count // at_most)
        begin = 0
        for part in range(parts, 0, -1):
            left = count - begin
            size = min(at_most, -(-left // part))
            if part > 1:
                # No shorter than what lets the parts that follow hold the rest.
                least = max(1, size // 2, left - (part - 1) * at_most)
                size = _near_comma(tokens, first + begin, size, least, at_most)
            last += 1
            cut += [last] * size
            begin += size
    return cut


def _near_comma(tokens: Tokens, start: int, size: int, least: int, most: int) -> int:
    places = [
        length
        for length in range(least, most + 1)
        if _CLAUSE.search(tokens.pieces[start + length - 1 : start + length][-1])
    ]
    return min(places, key=lambda length: abs(length - size), default=size)
