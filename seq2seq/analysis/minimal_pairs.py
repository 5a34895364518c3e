"""Sentences that differ from a given one in one thing: pronoun, tense, number, negation."""

from __future__ import annotations

import re
from collections.abc import Callable

# Words that stand for each other, by what changes; the first that is found is exchanged.
_SWAPS: dict[str, tuple[tuple[str, str], ...]] = {
    "pronoun": (
        ("he", "she"),
        ("she", "he"),
        ("his", "her"),
        ("him", "her"),
        ("my", "your"),
        ("your", "my"),
        ("we", "they"),
        ("they", "we"),
        ("our", "their"),
        ("their", "our"),
    ),
    "tense": (
        ("is", "was"),
        ("are", "were"),
        ("was", "is"),
        ("were", "are"),
        ("do", "did"),
        ("does", "did"),
        ("has", "had"),
        ("have", "had"),
        ("can", "could"),
        ("will", "would"),
    ),
    "number": (
        ("this", "these"),
        ("that", "those"),
        ("these", "this"),
        ("a", "two"),
        ("one", "three"),
        ("two", "ten"),
    ),
}
# After these a "not" can stand.
_CARRIERS = "is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may|might"
_CANNOT = re.compile(r"\b(can)(?:'t|not)\b", re.IGNORECASE)
_NEGATED = re.compile(rf"\b({_CARRIERS})(?:n't| not)\b", re.IGNORECASE)
_CARRIER = re.compile(rf"\b({_CARRIERS})\b(?!['’])", re.IGNORECASE)
# Before the subject, in a question, "not" does not stand alone.
_ASKING = re.compile(
    r"^(can|is|are|was|were|do|does|did|has|have|had|could|would|should)(?= )", re.I
)
_NEGATIONS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_CANNOT, r"\1"),
    (_NEGATED, r"\1"),
    (_ASKING, lambda found: found[1] + ("'t" if found[1].lower() == "can" else "n't")),
    (_CARRIER, r"\1 not"),
)


def contrasts(text: str) -> dict[str, str]:
    """Return, by what is changed, sentences that differ from an English one in that alone.

    Whole words are exchanged and "not" is put in or taken out, nothing is inflected: so few
    sentences have all kinds, and what comes out need not be good English.
    """
    found = {}
    for kind, swaps in _SWAPS.items():
        for old, new in swaps:
            match = re.search(rf"\b{old}\b(?!['’])", text, re.IGNORECASE)
            if match:
                start, end = match.span()
                found[kind] = text[:start] + _cased(new, match[0]) + text[end:]
                break
    for pattern, written in _NEGATIONS:
        if pattern.search(text):
            found["negation"] = pattern.sub(written, text, count=1)
            break
    if text.rstrip().endswith("."):
        found["question mark"] = text.rstrip()[:-1] + "?"
    elif text.rstrip().endswith("?"):
        found["full stop"] = text.rstrip()[:-1] + "."
    return found


def _cased(word: str, like: str) -> str:
    """Write a word with a capital where the one it stands for has one."""
    return word.capitalize() if like[:1].isupper() else word
