"""Names and patterns that training draws, and those held out, which measure."""

from __future__ import annotations

import random
import zlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

NAMES, PATTERNS = "names.tsv", "patterns.tsv"
DRAWN, HELD = "drawn", "held"
# Of all numbers from FEW on, one in so many is never drawn.
HELD_NUMBERS, FEW = 8, 20
INVENTED = 0.2  # of the names drawn, those that nobody bears


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
def known_names() -> dict[str, str]:
    """Map each name that is the same in both languages, and no other word, to its kind."""
    rows = [row for row in _rows(NAMES) if row[1] == "both" and row[2] == row[3]]
    return {row[2]: row[0] for row in reversed(rows)}


def draw_name(kind: str, draw: random.Random, held: bool = False) -> Words:
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
