"""Sources as other people type them: quotes, capitals, a missing full stop."""

from __future__ import annotations

import random
import re

from seq2seq.training.recipe import TypingSettings

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
