"""A text as a model's training data were written: plain punctuation and letters, no shouting.

Public corpora are often cleaned to the punctuation of a typewriter, so that a model of them has
never seen a curly quote; and a sentence in capitals falls apart into pieces that mean nothing.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

SENTENCE, LOWER = "sentence", "lower"
CASES = ("", SENTENCE, LOWER)
PUNCTUATION = {
    **dict.fromkeys("’‘‛′ʼ`´", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **dict.fromkeys("–—‒―−‐‑", "-"),
    "…": "...",
}
_PLAIN = str.maketrans(PUNCTUATION)
# Letters that Unicode does not take apart into a plain one and its mark.
LETTERS = dict(
    zip(
        "æœøłđðþßıÆŒØŁĐÐÞ",
        ["ae", "oe", "o", "l", "d", "d", "th", "ss", "i", "AE", "OE", "O", "L", "D", "D", "TH"],
        strict=True,
    )
)
_PLAIN_LETTERS = str.maketrans(LETTERS)
# A dash that stands for a pause has a space on either side on a typewriter.
_PAUSE = re.compile(r"(?<=\w)[—―](?=\w)")
# A shorter word in capitals is rather an abbreviation.
_SHOUTED_LETTERS = 5
_FIRST_LETTERS = re.compile(r"(?:^|[.!?…]\W*\s+)\W*\w")
_I = re.compile(r"\bi\b(?!\.\w)")


class AsTrained(NamedTuple):
    """A text as a model knows it, and sentences on what was changed."""

    text: str
    notes: tuple[str, ...]


def plain_punctuation(text: str) -> str:
    """Return a text with the quotes, apostrophes, dashes and dots of a typewriter."""
    return _PAUSE.sub(" - ", text).translate(_PLAIN)


def plain_letters(text: str) -> str:
    """Return a text with the letters of English, without the marks on them: "café" as "cafe"."""
    parts = unicodedata.normalize("NFD", text.translate(_PLAIN_LETTERS))
    bare = "".join(each for each in parts if unicodedata.category(each) != "Mn")
    return unicodedata.normalize("NFC", bare)


def is_shouted(text: str) -> bool:
    """Tell whether a text is in capitals throughout: two words of it or more, or a longer one."""
    letters = [character for character in text if character.isalpha()]
    if not letters or any(character.islower() for character in letters):
        return False
    words = re.findall(r"[^\W\d_]+", text)
    enough = len(words) > 1 or len(letters) >= _SHOUTED_LETTERS
    return enough and any(character.isupper() for character in letters)


def sentence_case(text: str) -> str:
    """Return a text in small letters, but for where its sentences begin, and for "I"."""
    lowered = _I.sub("I", text.lower())
    return _FIRST_LETTERS.sub(lambda match: match[0].upper(), lowered)


def as_trained(text: str, punctuation: bool, case: str, letters: bool = False) -> AsTrained:
    """Return a text as a model's training data were written.

    punctuation: they had plain punctuation only. case: one of CASES; with "sentence" they were not
    in capitals throughout, with "lower" they had no capitals at all. letters: they had plain ones.
    """
    notes, read = [], text
    if punctuation and (read := plain_punctuation(text)) != text:
        changed = [each for each in dict.fromkeys(text) if each in PUNCTUATION]
        listed = ", ".join(f"{each} as {PUNCTUATION[each]}" for each in changed)
        notes.append(f"Read {listed}: the model was trained on plain punctuation.")
    if letters and (bare := plain_letters(read)) != read:
        notes.append(f"Read as “{bare[:60]}”: the model was trained on letters without accents.")
        read = bare
    if case == LOWER and read != read.lower():
        read = read.lower()
        notes.append(f"Read as “{read[:60]}”: the model was trained on small letters only.")
    elif case == SENTENCE and is_shouted(read):
        read = sentence_case(read)
        notes.append(f"Read as “{read[:60]}”: the model was not trained on text in capitals.")
    return AsTrained(read, tuple(notes))
