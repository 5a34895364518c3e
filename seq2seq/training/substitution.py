"""English and French pairs with names and numbers drawn anew, and sources typed in other ways.

What a model shall copy or spell out, it has to see in more forms than a corpus holds: with each
epoch, names and numbers that stand on both sides of a pair are replaced by others (as Luong and
Manning 2016, section 1, find names to be what word-by-word translation loses first), and further
pairs are made from patterns. Some names, numbers and patterns are never drawn: those measure.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from seq2seq.data.number_words import (
    ENGLISH_ONES,
    ENGLISH_TENS,
    FRENCH_ONES,
    FRENCH_TENS,
    english,
    english_digits,
    english_ordinal,
    english_short_ordinal,
    french,
    french_digits,
    french_ordinal,
    french_short_ordinal,
    read_english,
    read_french,
)
from seq2seq.data.parallel_corpus import Pair
from seq2seq.training.recipe import SubstitutionSettings, TypingSettings

NAMES, PATTERNS = "names.tsv", "patterns.tsv"
DRAWN, HELD = "drawn", "held"
# Of all numbers from FEW on, one in so many is never drawn.
HELD_NUMBERS, FEW = 8, 20
INVENTED = 0.2  # of the names drawn, those that nobody bears
MONTHS = (
    ("January", "janvier"),
    ("February", "février"),
    ("March", "mars"),
    ("April", "avril"),
    ("May", "mai"),
    ("June", "juin"),
    ("July", "juillet"),
    ("August", "août"),
    ("September", "septembre"),
    ("October", "octobre"),
    ("November", "novembre"),
    ("December", "décembre"),
)
DAYS = (
    ("Monday", "lundi"),
    ("Tuesday", "mardi"),
    ("Wednesday", "mercredi"),
    ("Thursday", "jeudi"),
    ("Friday", "vendredi"),
    ("Saturday", "samedi"),
    ("Sunday", "dimanche"),
)
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
SLOT = re.compile(r"\{([a-z_]+)\d?\}")
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
VOWEL = re.compile(r"[aeiouyâàéèêëîïôöùûüáåœæ]", re.IGNORECASE)
ELIDED = re.compile(r"\b(d|qu|jusqu|lorsqu|puisqu)['’]$", re.IGNORECASE)
FULL = re.compile(r"\b(de|que|jusque|lorsque|puisque) $", re.IGNORECASE)
SOUNDS_VOWEL = re.compile(r"(?:eight|eleven|11\b|18\b|8\d{0,2}\b|11,|18,|8\d{0,2},)", re.IGNORECASE)


class Span(NamedTuple):
    """A name or a number in a text: text[start:end]. kind: of a name, or "number". value: the name
    itself, or the number in digits, the same on both sides of a pair.
    """

    start: int
    end: int
    kind: str
    value: str


class Words(NamedTuple):
    """What is said in English and in French."""

    en: str
    fr: str


def held_out(number: int) -> bool:
    """Tell whether a number is never drawn for training. Few are needed: one in HELD_NUMBERS."""
    return number >= FEW and zlib.crc32(str(number).encode()) % HELD_NUMBERS == 0


@cache
def _rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Read a table that lies beside this module, without its remarks and its header."""
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    _, *rows = (tuple(line.split("\t")) for line in lines if line[:1] != "#")
    return tuple(rows)


@cache
def names(kind: str, held: bool = False) -> tuple[Words, ...]:
    """Return the names of a kind, those that are drawn or those held out.

    kind: "he" and "she" for first names, "surname", "city", "country", "in_country",
    "from_country". Raises KeyError for others.
    """
    found = (Words(*row[2:]) for row in _rows(NAMES) if row[0] == kind and held == (row[1] == HELD))
    if not (names_found := tuple(found)) and not held:
        raise KeyError(kind)
    return names_found


@cache
def patterns(held: bool = False) -> tuple[Words, ...]:
    """Return the patterns of sentences, with slots such as {name}: those drawn or held out."""
    return tuple(Words(*row[1:]) for row in _rows(PATTERNS) if held == (row[0] == HELD))


@cache
def _known() -> dict[str, str]:
    """Map each name that is the same in both languages, and no other word, to its kind."""
    rows = [row for row in _rows(NAMES) if row[1] == "both" and row[2] == row[3]]
    return {row[2]: row[0] for row in reversed(rows)}


def spans(text: str, language: str) -> Iterator[Span]:
    """Find the names that have one form in both languages, and the numbers from 2 on.

    language: "en" or "fr".
    """
    for found in WORD.finditer(text):
        if kind := _known().get(found[0]):
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
    return _name(kind, draw).en


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


def joined(before: str, value: str, language: str) -> str:
    """Put a name or number after the text before it, which changes with its first sound.

    English "a" and "an"; French "de" and "d'", "que" and "qu'" and the like, before names only.
    An h is taken as sounded.
    """
    if language == "en":
        sound = bool(SOUNDS_VOWEL.match(value)) or (
            not value[:1].isdigit() and bool(re.match("[AEIO]", value))
        )
        return re.sub(r"\b(a)n? $", r"\1n " if sound else r"\1 ", before, flags=re.I) + value
    vowel = value[:1].isupper() and VOWEL.match(value) is not None and value[:1] not in "Yy"
    if vowel:
        return FULL.sub(lambda at: f"{at[1][:-1]}'", before) + value
    return ELIDED.sub(lambda at: f"{at[1]}e ", before) + value


def _name(kind: str, draw: random.Random, held: bool = False) -> Words:
    """Draw a name; for training, some are invented, so that any pieces may have to be copied."""
    if not held and kind in ("he", "she", "surname") and draw.random() < INVENTED:
        invented = invent(draw)
        return Words(invented, invented)
    return draw.choice(names(kind, held))


def invent(draw: random.Random) -> str:
    """Make up a name of two or three syllables."""
    onsets = [
        "b",
        "br",
        "c",
        "ch",
        "d",
        "dr",
        "f",
        "fr",
        "g",
        "gr",
        "h",
        "j",
        "k",
        "kr",
        "l",
        "m",
        "n",
        "p",
        "pr",
        "r",
        "s",
        "sh",
        "st",
        "t",
        "th",
        "tr",
        "v",
        "w",
        "z",
    ]
    vowels = ["a", "a", "a", "e", "e", "i", "i", "o", "o", "u", "ai", "ei", "ia", "io", "ou"]
    codas = ["", "", "", *["n", "n", "r", "l", "s", "m", "k", "t", "x", "nd", "rt", "ck"]]
    syllables = (
        draw.choice(onsets) + draw.choice(vowels) + draw.choice(codas)
        for _ in range(draw.choice((2, 2, 3)))
    )
    return "".join(syllables).capitalize()


def number(low: int, high: int, draw: random.Random, held: bool = False) -> int:
    """Draw a number from low to high, of those held out or of the others."""
    while True:
        drawn = draw.randint(low, high)
        if held_out(drawn) == held:
            return drawn


def _count(low: int, high: int, words: float = 0.5) -> Callable[[random.Random, bool], Words]:
    """Return what draws a number, written in words in a share of cases; none ends in one then."""

    def make(draw: random.Random, held: bool) -> Words:
        drawn = number(low, high, draw, held)
        if draw.random() < words and drawn % 10 != 1:
            return Words(english(drawn, draw.random() < 0.7), french(drawn))
        return Words(english_digits(drawn), french_digits(drawn))

    return make


def _full(draw: random.Random, held: bool) -> Words:
    parts = _first(draw, held), _name("surname", draw, held)
    return Words(*(" ".join(side) for side in zip(*parts, strict=True)))


def _first(draw: random.Random, held: bool) -> Words:
    return _name(draw.choice(("he", "she")), draw, held)


def _year(draw: random.Random, held: bool) -> Words:
    drawn = str(number(*draw.choice(((1100, 1899), (1900, 2030), (1900, 2030))), draw, held))
    return Words(drawn, drawn)


def _date(draw: random.Random, held: bool) -> Words:
    day = draw.randint(1, 31)
    en, fr = draw.choice(MONTHS)
    forms = (
        f"{en} {day}",
        f"{day} {en}",
        f"the {english_short_ordinal(day)} of {en}",
        f"{en} {english_short_ordinal(day)}",
        f"the {english_ordinal(day)} of {en}",
    )
    place, year = draw.randrange(len(forms)), ""
    if held or draw.random() < 0.4:
        year = _year(draw, held).en
    comma = "," if place in (0, 3) else ""
    french_day = "1er" if day == 1 else str(day)
    return Words(
        *(
            (f"{forms[place]}{comma} {year}", f"{french_day} {fr} {year}")
            if year
            else (forms[place], f"{french_day} {fr}")
        )
    )


def _time(draw: random.Random, held: bool) -> Words:
    """Draw a time of day. Held out are the minutes of a digital clock whose number is."""
    if not held and draw.random() < 0.6:
        return draw.choice((_spoken_time, _whole_hour))(draw)
    hour, afternoon = draw.randint(1, 12), draw.random() < 0.5
    minutes = number(20, 59, draw, True) if held else number(1, 59, draw)
    marked = draw.random() < 0.5
    mark = (" p.m." if afternoon else " a.m.") if marked else ""
    shown = hour % 12 + 12 * afternoon if marked else hour
    return Words(f"{hour}:{minutes:02}{mark}", f"{shown} h {minutes:02}")


def _whole_hour(draw: random.Random) -> Words:
    hour = draw.randint(1, 12)
    if hour == 12:
        return draw.choice((Words("noon", "midi"), Words("midnight", "minuit")))
    if draw.random() < 0.3:
        return Words(f"{hour} p.m.", f"{hour + 12} h")
    words = f"{french(hour, feminine=True)} heure{'s' if hour > 1 else ''}"
    if draw.random() < 0.5:
        return Words(f"{english(hour)} o'clock", words)
    return Words(f"{hour} o'clock", re.sub(r"^\S+", str(hour), words))


def _spoken_time(draw: random.Random) -> Words:
    hour = draw.randint(1, 11)
    spoken = f"{french(hour, feminine=True)} heure{'s' if hour > 1 else ''}"
    minutes = draw.choice((5, 10, 20))
    return draw.choice(
        (
            Words(f"half past {english(hour)}", f"{spoken} et demie"),
            Words(f"a quarter past {english(hour)}", f"{spoken} et quart"),
            Words(f"a quarter to {english(hour)}", f"{spoken} moins le quart"),
            Words(f"{english(minutes)} past {english(hour)}", f"{spoken} {french(minutes)}"),
            Words(f"{english(minutes)} to {english(hour)}", f"{spoken} moins {french(minutes)}"),
        )
    )


def _price(draw: random.Random, held: bool) -> Words:
    """Draw a price. The part that is held out is the whole number before the cents."""
    whole = number(20 if held else 2, 999, draw, held)
    signs, names_of_money = "$€£", ("dollars", "euros", ("pounds", "livres"))
    currency = draw.randrange(3)
    if draw.random() < 0.5:
        name = names_of_money[currency]
        en, fr = (name, name) if isinstance(name, str) else name
        counted = _count(whole, whole)(draw, held)
        return Words(f"{counted.en} {en}", f"{counted.fr} {fr}")
    cents = f"{draw.randrange(5, 100, 5):02}" if draw.random() < 0.5 else ""
    sign = signs[currency]
    amount = (f"{whole}.{cents}", f"{whole},{cents}") if cents else (str(whole), str(whole))
    return Words(f"{sign}{amount[0]}", f"{amount[1]} {sign}")


def _percent(draw: random.Random, held: bool) -> Words:
    whole = number(20 if held else 2, 100, draw, held)
    tenths = f"{draw.randint(1, 9)}" if draw.random() < 0.3 else ""
    en, fr = (f"{whole}.{tenths}", f"{whole},{tenths}") if tenths else (f"{whole}", f"{whole}")
    sign = draw.random() < 0.6
    return Words(en + ("%" if sign else " percent"), fr + (" %" if sign else " pour cent"))


def _decimal(draw: random.Random, held: bool) -> Words:
    whole, tenths = number(20 if held else 2, 200, draw, held), draw.randint(1, 99)
    return Words(f"{whole}.{tenths}", f"{whole},{tenths}")


def _digits(draw: random.Random, held: bool) -> Words:
    groups = draw.choice(((3, 4), (3, 3, 4), (2, 2, 2, 2, 2), (4,), (6,)))
    mark = draw.choice((" ", "-", "-"))
    digits = mark.join("".join(draw.choices("0123456789", k=size)) for size in groups)
    return Words(digits, digits)


def _code(draw: random.Random, held: bool) -> Words:
    letters = "".join(draw.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=draw.randint(1, 3)))
    code = letters + draw.choice(("", " ", "-")) + str(draw.randint(1, 9_999))
    return Words(code, code)


def _ordinal(feminine: bool) -> Callable[[random.Random, bool], Words]:
    def make(draw: random.Random, held: bool) -> Words:
        drawn = number(20 if held else 1, 100 if draw.random() < 0.3 else 31, draw, held)
        if draw.random() < 0.5:
            return Words(english_ordinal(drawn), french_ordinal(drawn, feminine))
        return Words(english_short_ordinal(drawn), french_short_ordinal(drawn, feminine))

    return make


def _listed(kind: str) -> Callable[[random.Random, bool], Words]:
    return lambda draw, held: _name(kind, draw, held and bool(names(kind, True)))


def _small(draw: random.Random, held: bool) -> Words:
    return _count(2, 12, 0.7)(draw, False)


# What fills the slots of patterns. For measuring, what is drawn is what training never sees, as
# far as there is such a thing: phone numbers and codes hardly ever come twice.
SLOTS: Mapping[str, Callable[[random.Random, bool], Words]] = {
    "name": _first,
    "full": _full,
    **{kind: _listed(kind) for kind in ("he", "she", "surname", "city")},
    **{kind: _listed(kind) for kind in ("country", "in_country", "from_country")},
    "small": _small,
    "number": _count(2, 100),
    "age": _count(2, 99),
    "count": _count(100, 999, 0.3),
    "big": _count(1_000, 999_999, 0.1),
    "year": _year,
    "date": _date,
    "day": lambda draw, held: Words(*draw.choice(DAYS)),
    "time": _time,
    "price": _price,
    "percent": _percent,
    "decimal": _decimal,
    "phone": _digits,
    "code": _code,
    "ordinal": _ordinal(False),
    "ordinal_f": _ordinal(True),
}


def filled(pattern: Words, draw: random.Random, held: bool = False) -> tuple[Pair, list[Words]]:
    """Fill the slots of a pattern; returns the pair, and what stands in its slots, in order.

    held: with what is never drawn for training.
    """
    slots = dict.fromkeys(found[0] for found in SLOT.finditer(pattern.en))
    values = {slot: SLOTS[SLOT.fullmatch(slot)[1]](draw, held) for slot in slots}  # type: ignore[index]
    return Pair(*(fill(side, values, at) for at, side in enumerate(pattern))), [*values.values()]


def fill(pattern: str, values: Mapping[str, Words], side: int) -> str:
    """Write values into the slots of one side, 0 for English and 1 for French."""
    text, at = "", 0
    for found in SLOT.finditer(pattern):
        text = joined(
            text + pattern[at : found.start()], values[found[0]][side], ("en", "fr")[side]
        )
        at = found.end()
    text += pattern[at:]
    return text[0].upper() + text[1:] if pattern[:1] == "{" and len(pattern) > at else text


def made(count: int, draw: random.Random) -> list[Pair]:
    """Make so many pairs from patterns drawn at random."""
    return [filled(draw.choice(patterns()), draw)[0] for _ in range(count)]


QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})


def typographic(text: str) -> str:
    """Write apostrophes and quotation marks as a word processor does: ’ and “ ”."""
    text = text.replace("'", "’")
    return re.sub(r'(^|[\s(\[])"', r"\1“", text).replace('"', "”")


def unended(text: str) -> str:
    """Leave out the marks at the end of a text that is more than marks."""
    return text.rstrip(" .!?") or text


def typed(source: str, settings: TypingSettings, draw: random.Random) -> str:
    """Write a source as somebody else might type it: see TypingSettings."""
    quotes, lower, end, capitals = (draw.random() for _ in range(4))
    if quotes < settings.quotes:
        plain = source.translate(QUOTES)
        source = typographic(source) if plain == source else plain
    if end < settings.unended:
        source = unended(source)
    if capitals < settings.capitals:
        return source.upper()
    return source.lower() if lower < settings.lower else source


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
