"""Whole numbers in English and in French: in words, as ordinals, in digits; and read back.

French as in France, in the spelling before 1990: hyphens below one hundred only, "et un" and "et
onze" without (Grevisse and Goosse, Le bon usage, 16th edition, paragraphs 595-601).
"""

from __future__ import annotations

import re
from functools import cache

LARGEST = 999_999_999
ENGLISH_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
ENGLISH_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
FRENCH_ONES = [
    "zéro",
    "un",
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "neuf",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
    "dix-sept",
    "dix-huit",
    "dix-neuf",
]
FRENCH_TENS = [
    "vingt",
    "trente",
    "quarante",
    "cinquante",
    "soixante",
    "soixante",
    "quatre-vingt",
    "quatre-vingt",
]
ENGLISH_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
# Numbers up to this one are read back.
READ = 9_999


def english(number: int, joined: bool = True) -> str:
    """Spell a number from 0 to LARGEST: 345 is "three hundred and forty-five".

    joined: with "and", as in Britain. Raises ValueError for other numbers.
    """
    _check(number)
    if number < 20:
        return ENGLISH_ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return ENGLISH_TENS[tens - 2] + (f"-{ENGLISH_ONES[ones]}" if ones else "")
    unit, name = _unit(number)
    count, rest = divmod(number, unit)
    tail = f"{' and' if joined and rest < 100 else ''} {english(rest, joined)}" if rest else ""
    return f"{english(count, joined)} {name}{tail}"


def french(number: int, feminine: bool = False) -> str:
    """Spell a number from 0 to LARGEST: 345 is "trois cent quarante-cinq", 80 "quatre-vingts".

    feminine: of what is counted, 21 is then "vingt et une". Raises ValueError for other numbers.
    """
    _check(number)
    if number < 100:
        return _french_below_hundred(number, feminine)
    unit, _ = _unit(number)
    count, rest = divmod(number, unit)
    tail = f" {french(rest, feminine)}" if rest else ""
    if unit == 100:
        return ("" if count == 1 else f"{french(count)} ") + _plural("cent", count, rest) + tail
    if unit == 1_000:
        return ("" if count == 1 else f"{_invariable(french(count))} ") + "mille" + tail
    return f"{french(count)} {_plural('million', count, 0)}{tail}"


def _french_below_hundred(number: int, feminine: bool) -> str:
    if number < 20:
        return "une" if feminine and number == 1 else FRENCH_ONES[number]
    tens, ones = divmod(number, 10)
    if tens in (7, 9):  # seventy is sixty-ten, ninety is four-twenty-ten
        ones += 10
    name = FRENCH_TENS[tens - 2]
    if ones == 0:
        return name + ("s" if number == 80 else "")
    joint = " et " if ones in (1, 11) and tens < 8 else "-"
    return name + joint + ("une" if feminine and ones == 1 else FRENCH_ONES[ones])


def _plural(word: str, count: int, rest: int) -> str:
    return word + ("s" if count > 1 and rest == 0 else "")


def _invariable(words: str) -> str:
    """Take off the plural that "vingts" and "cents" lose before "mille"."""
    return re.sub(r"(vingt|cent)s$", r"\1", words)


def _unit(number: int) -> tuple[int, str]:
    units = ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
    return next(each for each in units if number >= each[0])


def _check(number: int) -> None:
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{number} is not spelled here: give 0 to {LARGEST}")


def english_ordinal(number: int) -> str:
    """Spell which one it is, from 1 on: "twenty-first". Raises ValueError as english does."""
    start, mark, last = re.fullmatch(r"(.*?)([ -]?)(\w+)", english(number)).groups()  # type: ignore[union-attr]
    if last in ENGLISH_ORDINALS:
        return start + mark + ENGLISH_ORDINALS[last]
    return start + mark + (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")


def french_ordinal(number: int, feminine: bool = False) -> str:
    """Spell which one it is, from 1 on: "vingt et unième". Raises ValueError as french does."""
    if number == 1:
        return "première" if feminine else "premier"
    words = re.sub(r"(vingt|cent|million)s$", r"\1", french(number))
    for last, stem in (("cinq", "cinqu"), ("neuf", "neuv")):
        words = words.removesuffix(last) + stem if words.endswith(last) else words
    return words.removesuffix("e") + "ième"


def english_short_ordinal(number: int) -> str:
    """Write which one it is in digits: "21st", "12th"."""
    teens = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def french_short_ordinal(number: int, feminine: bool = False) -> str:
    """Write which one it is in digits: "21e", and "1er" or "1re"."""
    return f"{number}e" if number != 1 else "1re" if feminine else "1er"


def english_digits(number: int) -> str:
    """Write a number in digits: 12345 is "12,345"."""
    return f"{number:,}"


def french_digits(number: int) -> str:
    """Write a number in digits: 12345 is "12 345", with a plain space, and 1234 "1234"."""
    return f"{number:,}".replace(",", " ") if number >= 10_000 else str(number)


def read_english(words: str) -> int | None:
    """Return the number that words spell, from 0 to READ, with or without "and"; None for others.

    Capitals do not matter.
    """
    return _spelled()["en"].get(_plain(words))


def read_french(words: str) -> int | None:
    """Return the number that words spell, as read_english does; either gender."""
    return _spelled()["fr"].get(_plain(words))


def _plain(words: str) -> str:
    """Leave out what spellings differ in: hyphens, "and" and "et", plurals, gender."""
    parts = re.sub(r"\b(?:and|et)\b|-", " ", words.lower()).split()
    known = {"vingts": "vingt", "cents": "cent", "une": "un"}
    return " ".join(known.get(part, part) for part in parts)


@cache
def _spelled() -> dict[str, dict[str, int]]:
    numbers = range(READ + 1)
    return {
        "en": {_plain(english(number)): number for number in numbers},
        "fr": {_plain(french(number)): number for number in numbers},
    }
