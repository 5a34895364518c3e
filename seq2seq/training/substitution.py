"""English and French pairs with names and numbers drawn anew, and sources typed in other ways.

What a model shall copy or spell out, it has to see in more forms than a corpus holds: with each
epoch, names and numbers that stand on both sides of a pair are replaced by others (as Luong and
Manning 2016, section 1, find names to be what word-by-word translation loses first), and further
pairs are made from patterns. Some names, numbers and patterns are never drawn: those measure.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from seq2seq.data.number_words import (
    ENGLISH_ONES,
    ENGLISH_TENS,
    FRENCH_ONES,
    FRENCH_TENS,
    english,
    english_digits,
    french,
    french_digits,
    read_english,
    read_french,
)
from seq2seq.data.parallel_corpus import Pair
from seq2seq.training.bilingual_slots import made
from seq2seq.training.elision import joined
from seq2seq.training.name_tables import draw_name, held_out, known_names, names
from seq2seq.training.recipe import SubstitutionSettings, TypingSettings
from seq2seq.training.typing_variants import typed

WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_EN = "|".join(sorted([*ENGLISH_ONES, *ENGLISH_TENS, "hundred", "thousand"], key=len)[::-1])
_SMALL_FRENCH = {part for word in [*FRENCH_ONES, *FRENCH_TENS] for part in word.split("-")}
_FR = "|".join(sorted([*_SMALL_FRENCH, "une", "vingts", "cents?", "mille"], key=len)[::-1])
# A run of number words, or of digits as they are grouped in the language: those of dates such as
# 1/2/03, of versions and of clocks are left alone.
NUMBERS = {
    "en": re.compile(
        rf"(?<![\w.,:/’'-])(?:(?:{_EN})(?:(?:-| and | )(?:{_EN}))*|\d{{1,3}}(?:,\d{{3}})+|\d+)"
        r"(?![\w/:’'-]|[.,]\d)",
        re.IGNORECASE,
    ),
    "fr": re.compile(
        rf"(?<![\w.,:/-])(?:(?:{_FR})(?:(?:-| et | )(?:{_FR}))*|\d{{1,3}}(?:[. ]\d{{3}})+|\d+)"
        r"(?![\w/:’'-]|[.,]\d| \d{3}\b)",
        re.IGNORECASE,
    ),
}
READ: dict[str, Callable[[str], int | None]] = {"en": read_english, "fr": read_french}


class Span(NamedTuple):
    """A name or a number in a text: text[start:end]. kind: of a name, or "number". value: the name
    itself, or the number in digits, the same on both sides of a pair.
    """

    start: int
    end: int
    kind: str
    value: str


def spans(text: str, language: str) -> Iterator[Span]:
    """Find the names that have one form in both languages, and the numbers from 2 on.

    language: "en" or "fr".
    """
    for found in WORD.finditer(text):
        if kind := known_names().get(found[0]):
            yield Span(found.start(), found.end(), kind, found[0])
    for found in NUMBERS[language].finditer(text):
        digits = re.sub(r"[., ]", "", found[0])
        value = int(digits) if digits.isdecimal() else READ[language](found[0])
        # As words, those that end in one have a gender in French that nobody knows here.
        fixed = value is None or value < 2 or (not digits.isdecimal() and value % 10 == 1)
        if not fixed:
            yield Span(found.start(), found.end(), "number", str(value))


def shared(pair: Pair) -> tuple[list[Span], list[Span]]:
    """Return the spans whose value stands equally often on both sides, in order of the text."""
    sides = (list(spans(pair.source, "en")), list(spans(pair.target, "fr")))
    values = [sorted((span.kind, span.value) for span in side) for side in sides]
    both = {key for key in values[0] if values[0].count(key) == values[1].count(key)}
    kept = ([span for span in side if (span.kind, span.value) in both] for side in sides)
    en, fr = (sorted(side) for side in kept)
    return en, fr


def replaced(pair: Pair, draw: random.Random) -> Pair:
    """Return a pair with each shared name and number replaced by another one of its kind.

    A first name is replaced by one of the same gender. Without any, it is the pair itself.
    """
    en, fr = shared(pair)
    if not en:
        return pair
    keys = sorted({(span.kind, span.value) for span in en})
    new = {key: _another(*key, draw) for key in keys}
    source, target = pair.source, pair.target
    for span in reversed(en):
        source = _put(source, span, new[span.kind, span.value], "en")
    for span in reversed(fr):
        target = _put(target, span, new[span.kind, span.value], "fr")
    return Pair(source, target)


def _another(kind: str, value: str, draw: random.Random) -> str:
    """Draw a name of a kind that is the same in both languages, or a number in digits."""
    if kind == "number":
        return str(alike(int(value), draw))
    if kind == "city":
        return draw.choice([each for each in names(kind) if each.en == each.fr]).en
    return draw_name(kind, draw).en


def alike(number: int, draw: random.Random) -> int:
    """Draw a number of about the same size, so that hours, days, years and pages stay possible.

    Held-out ones are never drawn, nor those that end in one: see spans.
    """
    ranges = ((2, 12), (13, 28), (29, 59), (60, 99), (100, 999), (1_000, 2_100))
    low, high = next(
        (each for each in ranges if number <= each[1]),
        (10 ** (len(str(number)) - 1), 10 ** len(str(number)) - 1),
    )
    while True:
        drawn = draw.randint(low, high)
        if not held_out(drawn) and drawn % 10 != 1:
            return drawn


def _put(text: str, span: Span, value: str, language: str) -> str:
    """Write a value in a span's place, in the way that the old one is written."""
    old = text[span.start : span.end]
    if span.kind == "number":
        value = _like(old, int(value), language)
    return joined(text[: span.start], value, language) + text[span.end :]


def _like(old: str, number: int, language: str) -> str:
    """Write a number as an old one is: in words or in digits, with a capital, in groups."""
    if not old[0].isdigit():
        words = english(number) if language == "en" else french(number)
        return words[0].upper() + words[1:] if old[0].isupper() else words
    if not re.search(r"\D", old):
        return str(number)
    return english_digits(number) if language == "en" else french_digits(number)


def varied(
    pair: Pair, substitution: SubstitutionSettings, typing: TypingSettings, draw: random.Random
) -> Pair:
    """Return a pair as an epoch reads it; the same object where nothing has changed."""
    if draw.random() < substitution.replaced:
        pair = replaced(pair, draw)
    source = typed(pair.source, typing, draw)
    return pair if source == pair.source else Pair(source, pair.target)


def all_varied(
    pairs: Iterable[Pair],
    substitution: SubstitutionSettings,
    typing: TypingSettings,
    draw: random.Random,
) -> list[Pair]:
    """Vary each of many pairs."""
    return [varied(pair, substitution, typing, draw) for pair in pairs]


def further(count: int, substitution: SubstitutionSettings, draw: random.Random) -> Sequence[Pair]:
    """Make the pairs that are added to so many others."""
    return made(round(substitution.made * count), draw)
