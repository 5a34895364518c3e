"""A name or number after the text before it, which changes with its first sound."""

from __future__ import annotations

import re

VOWEL = re.compile(r"[aeiouyâàéèêëîïôöùûüáåœæ]", re.IGNORECASE)
ELIDED = re.compile(r"\b(d|qu|jusqu|lorsqu|puisqu)['’]$", re.IGNORECASE)
FULL = re.compile(r"\b(de|que|jusque|lorsque|puisque) $", re.IGNORECASE)
SOUNDS_VOWEL = re.compile(r"(?:eight|eleven|11\b|18\b|8\d{0,2}\b|11,|18,|8\d{0,2},)", re.IGNORECASE)


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
