"""Headlines made of English sentences: no articles, no auxiliaries, the present tense.

What corpora of compressions lack is a text in words that its source does not have. Newspapers have
a grammar for it, whose rules need no more than the auxiliary before a verb (Mårdh 1980,
"Headlinese", chapter 4): "the bridge has been closed" is "bridge closed", "a farmer has grown a
pumpkin" is "farmer grows pumpkin", "the firm will open a shop" is "firm to open shop".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

ARTICLES = frozenset(("a", "an", "the"))
# Before these an article is part of a number or of a quantity.
_COUNTED = frozenset(
    [
        "hundred",
        "thousand",
        "million",
        "billion",
        "dozen",
        "few",
        "lot",
        "couple",
        "number",
        "little",
    ]
)
_HAVE, _BE = frozenset(("has", "have")), frozenset(("is", "are", "was", "were"))
_ADVERBS = frozenset(
    ["allegedly", "reportedly", "apparently", "possibly", "probably", "also", "now", "already"]
)
# After these an auxiliary belongs to a clause, which stays as it is.
_CLAUSE = frozenset(
    [
        "who",
        "which",
        "that",
        "what",
        "how",
        "when",
        "where",
        "he",
        "she",
        "it",
        "they",
        "we",
        "i",
        "you",
        "and",
        "but",
        "or",
    ]
)
# Participles of irregular verbs; of others, the word before each is the base.
_IRREGULAR = """
begin begun bend bent bet bet bind bound bite bitten bleed bled blow blown break broken breed bred
bring brought build built burst burst buy bought cast cast catch caught choose chosen cut cut
deal dealt dig dug draw drawn drive driven eat eaten fall fallen feed fed fight fought find found
flee fled fly flown forbid forbidden forget forgotten freeze frozen give given grow grown hang hung
hear heard hide hidden hit hit hold held hurt hurt keep kept lay laid lead led leave left lend lent
lose lost make made meet met pay paid quit quit rebuild rebuilt ride ridden ring rung rise risen
say said see seen seek sought sell sold send sent shake shaken shed shed shoot shot show shown
shut shut sing sung sink sunk sit sat slide slid speak spoken spend spent spin spun split split
spread spread stand stood steal stolen stick stuck strike struck swear sworn sweep swept swim swum
swing swung take taken teach taught tear torn tell told throw thrown undergo undergone uphold upheld
win won withdraw withdrawn write written overtake overtaken undertake undertaken
"""
_PARTS = _IRREGULAR.split()
_BASES = dict(zip(_PARTS[1::2], _PARTS[::2], strict=True))
_OFTEN = 3  # times that a form has to be read to be a word
_ENDS = re.compile(r"[,.;:!?\"')]+$")


class Headlines:
    """Makes headlines; the words that it has read say what the bases of regular verbs are."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Count the words of texts in small letters."""
        self._counts = Counter(word for text in texts for word in text.split())

    def base(self, participle: str) -> str:
        """Return the base of a past participle, "" for what is none."""
        if participle in _BASES:
            return _BASES[participle]
        if not re.fullmatch("[a-z]{2,}ed", participle):
            return ""
        stem = participle[:-2]
        doubled = stem[:-1] if re.search(r"([bdglmnprt])\1$", stem) else stem
        forms = (stem, f"{stem}e", doubled, f"{stem[:-1]}y" if stem[-1] == "i" else stem)
        best = max(forms, key=self._counts.__getitem__)
        return best if self._counts[best] >= _OFTEN else ""

    def of(self, sentence: str) -> str:
        """Return the headline of a sentence in small letters, without a full stop at its end."""
        words = sentence.split()
        written: list[str] = []
        place = 0
        while place < len(words):
            fixed = place == 0 or words[place - 1] in _CLAUSE
            taken, shorter = self._rewritten(words[place:], fixed)
            written += shorter
            place += taken
        return re.sub(r"(?<![.\s])\.$", "", " ".join(written))

    def _rewritten(self, words: Sequence[str], fixed: bool) -> tuple[int, Sequence[str]]:
        """Return how many of the next words are rewritten, and as what. fixed: auxiliaries stay."""
        word, later = words[0], words[1:]
        following = later[0] if later else ""
        if word in ARTICLES and later and following not in _COUNTED:
            return 1, ()
        if fixed or not later:
            return 1, (word,)
        if word == "will" and self._is_verb(following):
            return 1, ("to",)
        between = following if following in _ADVERBS else ""
        verb = later[1] if between and len(later) > 1 else following
        kept = (between,) if between else ()
        plain = _ENDS.sub("", verb)
        base = self.base(plain)
        if word in _BE and base:
            return 1, ()
        if word in _HAVE and verb == "been" and not between:
            passive = len(later) > 1 and self.base(_ENDS.sub("", later[1]))
            return (2, ()) if passive else (1, (word,))
        if word in _HAVE and base:
            form = third_person(base) if word == "has" else base
            return 2 + len(kept), (*kept, form + verb[len(plain) :])
        return 1, (word,)

    def _is_verb(self, word: str) -> bool:
        """Tell whether a word is a verb's base: one of which -ing is read, too."""
        plain = _ENDS.sub("", word)
        gerunds = (f"{plain}ing", f"{plain.removesuffix('e')}ing", f"{plain}{plain[-1:]}ing")
        return plain.isalpha() and any(self._counts[each] >= _OFTEN for each in gerunds)


def third_person(base: str) -> str:
    """Return the form of a verb that follows "she"."""
    if re.search(r"(?:s|sh|ch|x|z|o)$", base):
        return f"{base}es"
    return f"{base[:-1]}ies" if re.search("[^aeiou]y$", base) else f"{base}s"
