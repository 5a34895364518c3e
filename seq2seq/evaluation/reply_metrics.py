"""What can be measured of replies that have no one right answer: variety, dullness, repetition."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SO = r"(?:(?:well|oh|um|haha|honestly|yeah|yes|no|hmm|ok|okay|so|but|sorry),? )*"
# "I don't know" and its kin, with or without what it is that is not known.
_EVASIVE = (
    r"(?:i (?:really |honestly )?(?:don't|do not) (?:really )?know|i'm not (?:really |too )?sure|"
    r"i am not (?:really |too )?sure|i have no idea|no idea|not sure)"
    r"(?: (?:about|of|what|which|who|if|how|why|when|where|yet|either|that)\b[^,.!?]*)?"
)
# Agreement that says no more.
_AGREEING = (
    r"(?:i (?:think|guess|hope) so|me (?:too|neither)|same here|i agree|i know|"
    r"(?:that's|that is|it is|it's|you're|very) (?:very |so |really )?"
    r"(?:true|cool|nice|great|good|awesome|right|funny|interesting)|"
    r"(?:yes|yeah|yep|no|nope|ok|okay|sure|cool|nice|great|right|true|exactly|really|haha|wow|what|"
    r"oh)(?:,? (?:i (?:do|am|have|did|know|agree)|it is|it's true|that's true|you're right))?"
    r"(?: too| either| as well| with you)?)"
)
_DULL = re.compile(f"{_SO}(?:{_EVASIVE}|{_AGREEING})[.!?]*")


def words(text: str) -> list[str]:
    """Return the words of a text in small letters, with the apostrophes inside."""
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower())


def distinct(replies: Sequence[str], size: int) -> float:
    """Return the share of all n-grams of the replies that are different ones. Li et al. 2016, 4.5.

    It falls as more replies are counted: compare as many with as many.
    """
    grams = [gram for reply in replies for gram in _grams(words(reply), size)]
    return len(set(grams)) / max(1, len(grams))


def dull(reply: str) -> bool:
    """Tell whether a reply says no more than that it does not know, or agrees."""
    return bool(_DULL.fullmatch(" ".join(reply.lower().split()))) or not words(reply)


def repetitive(reply: str) -> bool:
    """Tell whether a reply says three words in a row twice, or a word twice in a row."""
    said = words(reply)
    three = _grams(said, 3)
    return len(set(three)) < len(three) or any(a == b for a, b in _grams(said, 2))


def reply_scores(replies: Sequence[str]) -> dict[str, float]:
    """Return distinct-1 and -2, the shares of dull and repetitive replies, and words a reply."""
    count = max(1, len(replies))
    return {
        "distinct_1": round(distinct(replies, 1), 4),
        "distinct_2": round(distinct(replies, 2), 4),
        "different": round(100 * len(set(replies)) / count, 2),
        "dull": round(100 * sum(map(dull, replies)) / count, 2),
        "repetitive": round(100 * sum(map(repetitive, replies)) / count, 2),
        "words": round(sum(len(words(reply)) for reply in replies) / count, 2),
    }


def _grams(said: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return list(zip(*(said[start:] for start in range(size)), strict=False))
