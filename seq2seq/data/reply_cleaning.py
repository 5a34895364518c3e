"""Replies written with care, made of what people typed in haste; and sources typed in haste."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.word_filter import rude

_NOT = "do does did is are was were have has had could would should ca"
_IS = "that what there where who how"
# Apostrophes that are left out in haste, where no other word is meant.
_CONTRACTIONS = {
    "im": "I'm",
    "ive": "I've",
    "youre": "you're",
    "theyre": "they're",
    **{f"{start}nt": f"{start}n't" for start in _NOT.split()},
    **{f"{start}s": f"{start}'s" for start in _IS.split()},
}
_CONTRACTION = re.compile(r"\b(?:" + "|".join(_CONTRACTIONS) + r")\b", re.IGNORECASE)
_QUESTION = re.compile(
    r"(?:and |so |but |oh )?(?:who|what(?! an?\b)|where|when|why|how|which|do|does|did|is|are|was|"
    r"were|can|could|would|should|will|have you)(?:'s|'re|n't)?\b",
    re.IGNORECASE,
)
# What no reply of ours should hold: addresses, stars for letters, names left open, laughter alone.
_SPOILT = re.compile(
    r"[@*\[\]{}<>_^~|\\]|http|www\.|\buser \d|'s name\)|^(?:(?:ha)+h?|lol|lmao|he(?:he)+)\W*$",
    re.IGNORECASE,
)


def tidy(reply: str) -> str:
    """Return a reply without noise of typing: spaces, repeated marks, apostrophes, capitals, end.

    Sentences begin with a capital, and so does "I"; the end gets a mark where it has none. Names
    written small stay small.
    """
    text = " ".join(reply.split())
    text = re.sub(r"\s+([.,!?;:])(?!\w)", r"\1", text)
    text = re.sub(r"([!?,])\1+", r"\1", text)
    text = re.sub(r"\.{4,}|(?<!\.)\.\.(?!\.)", "...", text)
    text = re.sub(r"([!?])\.(?!\.)", r"\1", text)
    text = re.sub(r"([a-z][,!?])(?=[A-Za-z])", r"\1 ", text)
    text = re.sub(r"\b(ha)(?:ha)+h?\b", r"\1ha", text, flags=re.IGNORECASE)
    text = _CONTRACTION.sub(_contracted, text)
    text = re.sub(r"\bi(?=$|[\s,.!?']|'[a-z])", "I", text)
    text = re.sub(r"(^\W*|(?<!\.)[.!?] )([a-z])", lambda at: at[1] + at[2].upper(), text)
    return _ended(text.rstrip(",;: "))


def _contracted(found: re.Match[str]) -> str:
    word = _CONTRACTIONS[found[0].lower()]
    return word[0].upper() + word[1:] if found[0][0].isupper() else word


def _ended(text: str) -> str:
    """Put a full stop or a question mark where a text ends without a mark."""
    if not text or not text[-1].isalnum():
        return text
    last = re.split(r"[.,!?;] ", text)[-1]
    return text + ("?" if _QUESTION.match(last) else ".")


def fit_to_learn(pairs: Sequence[Pair]) -> list[Pair]:
    """Tidy the targets of pairs; those with a rude or spoilt target are left out."""
    kept = (pair for pair in pairs if not _SPOILT.search(pair.target) and not rude(pair.target))
    return [Pair(pair.source, tidy(pair.target)) for pair in kept]


_SMALL = """
about actually after again also always because been before being best better both came come could
does doing done don't else even ever every from getting going gone good great guess have haven't
having here i've it's just know like liked lots made make many maybe more most much never nice
only other pretty probably really right said same should since some something still such sure take
than that that's them then there these they they're thing things think this those though time very
want watch well were what what's when where which while will with would yeah years your you're
"""
_COMMON = frozenset(_SMALL.split())


def related(source: str, reply: str) -> bool:
    """Tell whether a reply takes up a word of what it answers, small and common words aside.

    Words of four letters and more count as one where their first five letters are the same.
    """
    heard, said = (
        {word[:5] for word in re.findall(r"[a-z']{4,}", text.lower()) if word not in _COMMON}
        for text in (source, reply)
    )
    return bool(heard & said)


def casual(source: str, draw: random.Random) -> str:
    """Write a source as one types in haste: in small letters, without the last mark, or both."""
    kind = draw.randrange(3)
    text = source.lower() if kind else source
    return text if kind == 1 else text.rstrip(".!?") or text
