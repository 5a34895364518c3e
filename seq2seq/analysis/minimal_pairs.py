"""Sentences that differ from a given one in one thing: pronoun, tense, number, word order."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

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
# Words whose exchange with a neighbour would leave little of a sentence.
_FUNCTION = frozenset(
    [
        "a",
        "an",
        "the",
        "my",
        "your",
        "his",
        "her",
        "its",
        "our",
        "their",
        "this",
        "that",
        "these",
        "those",
        "i",
        "you",
        "he",
        "she",
        "it",
        "we",
        "they",
        "me",
        "him",
        "us",
        "them",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "am",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "can",
        "could",
        "will",
        "would",
        "should",
        "must",
        "may",
        "might",
        "not",
        "no",
        "in",
        "on",
        "at",
        "of",
        "to",
        "by",
        "for",
        "from",
        "with",
        "into",
        "over",
        "under",
        "behind",
        "and",
        "or",
        "but",
        "if",
        "when",
        "because",
        "who",
        "what",
        "where",
        "why",
        "how",
        "which",
        "there",
    ]
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
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
    if other := _reordered(text):
        found["word order"] = other
    if text.rstrip().endswith("."):
        found["question mark"] = text.rstrip()[:-1] + "?"
    elif text.rstrip().endswith("?"):
        found["full stop"] = text.rstrip()[:-1] + "."
    return found


def _reordered(text: str) -> str:
    """Exchange the first two neighbours that are no function words; "" where there are none."""
    words = list(_WORD.finditer(text))
    for first, second in pairwise(words):
        between = text[first.end() : second.start()]
        said = {first[0].lower(), second[0].lower()}
        content = not said & _FUNCTION and not any("'" in each or "’" in each for each in said)
        if len(said) == 2 and between.isspace() and content:
            left, right = _cased(second[0], first[0]), first[0]
            right = right if first is not words[0] else right.lower()
            return text[: first.start()] + left + between + right + text[second.end() :]
    return ""


def _cased(word: str, like: str) -> str:
    """Write a word with a capital where the one it stands for has one."""
    return word.capitalize() if like[:1].isupper() else word
