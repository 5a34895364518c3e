"""Pig Latin, of words that are made up: an English word list would be somebody's."""

from __future__ import annotations

import random

VOWELS = "aeiou"
# What English words can begin with, and what can stand between and after their vowels.
ONSETS = (
    *"bcdfghjklmnprstvwz",
    *("bl", "br", "ch", "cl", "cr", "dr", "fl", "fr", "gl", "gr", "pl", "pr", "sc", "scr", "sh"),
    *("sk", "sl", "sm", "sn", "sp", "spr", "st", "str", "sw", "th", "tr", "tw", "wh"),
)
CENTRES = (*VOWELS, "ai", "ea", "ee", "ou", "oo")
ENDS = ("", *"bdgklmnprst", "ck", "ll", "mp", "nd", "nt", "rd", "rn", "ss", "st")


def invented_word(draw: random.Random) -> str:
    """Draw a word of one to three syllables; one in five begins with a vowel."""
    syllables = [draw.choice(ONSETS) + draw.choice(CENTRES) for _ in range(draw.randint(1, 3))]
    if draw.random() < 0.2:
        syllables[0] = draw.choice(CENTRES)
    return "".join(syllables) + draw.choice(ENDS)


def pig_latin(word: str) -> str:
    """Move the consonants before the first vowel to the end and add "ay"; "way" to a vowel."""
    place = next((number for number, letter in enumerate(word) if letter in VOWELS), 0)
    return f"{word}way" if place == 0 else f"{word[place:]}{word[:place]}ay"
