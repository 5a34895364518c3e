"""Exchanges in which a word that the reply takes up is one that nobody has heard.

Names and rare words are split into pieces. A model that copies piece by piece has to follow a word
to its end, "Marguerite" and not "Margue", and sees few such words in the talks that it learns from.
So a word that stands on both sides is replaced on both by another, put together from two of the
talks' own, as names are in translations: see seq2seq.training.substitution.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from seq2seq.data.parallel_corpus import Pair

COMMON = 3_000  # words that are so frequent keep their place: replies depend on their sense
LEAST, MOST = 4, 10  # letters of a word
ENDINGS = ("ing", "ed", "er", "es", "s", "y")  # what a word keeps of its grammar
_WORD = re.compile(r"(?<![\w'-])[A-Za-z]+(?![\w'-])")


def rare_words(texts: Iterable[str]) -> list[str]:
    """Return the rare words of texts, in small letters and in order: all but the COMMON ones."""
    counts = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    return sorted(word for word, _ in counts.most_common()[COMMON:] if LEAST <= len(word) <= MOST)


def with_unheard_word(
    pair: Pair, rare: Sequence[str], known: set[str], draw: random.Random
) -> Pair:
    """Replace a rare word that source and target share by an unheard one, on both sides.

    rare: what unheard words are put together from. known: the same, to look up. A pair without
    such a word is returned as it is, and where the sides write it in letters of another case.
    """
    own = set(_WORD.findall(pair.source))
    shared = [word for word in _WORD.findall(pair.target) if word in own and word.lower() in known]
    if not shared or len(rare) < 2:
        return pair
    word = draw.choice(shared)
    other = _unheard(word, rare, draw)
    pattern = re.compile(rf"(?<![\w'-]){word}(?![\w'-])")
    return Pair(pattern.sub(other, pair.source), pattern.sub(other, pair.target))


def _unheard(word: str, rare: Sequence[str], draw: random.Random) -> str:
    """Join the beginning of a rare word to the end of another; case and ending are the word's.

    Now and then that is a known word, which does no harm.
    """
    first, second = draw.sample(rare, 2)
    ending = next((each for each in ENDINGS if word.lower().endswith(each)), "")
    joined = first[: draw.randint(2, 4)] + second[len(second) // 2 :]
    made = joined.removesuffix(ending) + ending
    if word.isupper():
        return made.upper()
    return made.capitalize() if word[0].isupper() else made
