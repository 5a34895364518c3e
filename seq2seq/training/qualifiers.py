"""Words that turn or weaken what a sentence says, and compressions that keep them.

"Allegedly", "may" and "not" are short, so that corpora of compressions often lack them where the
sense needs them, and a model learns to leave them out. Here they are put back into what is learnt,
and further sentences get some on both sides.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from seq2seq.data.parallel_corpus import Pair

NEGATIONS = frozenset(["not", "never", "no", "cannot", "n't", "neither", "nor", "without"])
HEDGES = frozenset(
    [
        "may",
        "might",
        "could",
        "allegedly",
        "reportedly",
        "apparently",
        "possibly",
        "probably",
        "perhaps",
        "likely",
        "unlikely",
        "supposedly",
        "suspected",
        "alleged",
        "purportedly",
        "seemingly",
        "almost",
        "nearly",
    ]
)
QUALIFIERS = NEGATIONS | HEDGES
# What is put after an auxiliary, or in the place of one, as "will" and "may" take the same verb.
_ADVERBS = ("not", "not", "not", "never", "allegedly", "reportedly", "apparently", "possibly")
_MODALS = ("may", "might", "could")
_AUXILIARIES = frozenset(
    ["is", "are", "was", "were", "has", "have", "had", "will", "would", "can", "should", "must"]
)
# After these, "has" is no auxiliary.
_NOUN_FOLLOWS = frozenset(
    ["a", "an", "the", "his", "her", "its", "their", "no", "##", "some", "many", "more", "to"]
)
_ENDS = re.compile(r"[^\w'#-]+$")


def is_qualifier(word: str) -> bool:
    """Tell whether a word in small letters, marks at its end aside, negates or hedges."""
    plain = _ENDS.sub("", word)
    return plain in QUALIFIERS or plain.endswith("n't")


def kept_places(source: Sequence[str], target: Sequence[str]) -> list[int] | None:
    """Return which words of a source its compression keeps, each found as early as can be after the
    one before; None where it has other words. Marks at the end of words do not count.
    """
    places, place = [], 0
    plain = [_ENDS.sub("", word) for word in source]
    for word in target:
        wanted = _ENDS.sub("", word)
        while place < len(plain) and plain[place] != wanted:
            place += 1
        if place == len(plain):
            return None
        places.append(place)
        place += 1
    return _latest(plain, places)


def _latest(words: Sequence[str], places: list[int]) -> list[int]:
    """Move each place as near to the next one as the same word allows."""
    moved, limit = places[:], len(words)
    for number in reversed(range(len(places))):
        nearer = range(limit - 1, places[number], -1)
        same = (place for place in nearer if words[place] == words[places[number]])
        moved[number] = next(same, places[number])
        limit = moved[number]
    return moved


def restored(pair: Pair) -> Pair:
    """Return a pair in small letters whose target has the qualifiers before the words that it
    keeps.

    A target that is no compression of its source stays as it is.
    """
    source, target = pair.source.split(), pair.target.split()
    if not any(map(is_qualifier, source)):
        return pair
    places = kept_places(source, target)
    if places is None:
        return pair
    known = dict(zip(places, target, strict=True))
    for place in range(len(source) - 2, -1, -1):
        if place not in known and is_qualifier(source[place]) and place + 1 in known:
            known[place] = source[place]
    return Pair(pair.source, " ".join(known[place] for place in sorted(known)))


def qualified(pair: Pair, draw: random.Random) -> Pair:
    """Return a pair in small letters with one more qualifier on both sides, where it has room.

    Behind an auxiliary that the target keeps with the word after it, or in the place of "will".
    """
    source, target = pair.source.split(), pair.target.split()
    places = kept_places(source, target)
    if places is None or any(map(is_qualifier, source)):
        return pair
    spots = [
        number
        for number in range(1, len(places) - 1)
        if target[number] in _AUXILIARIES
        and target[number + 1] not in _NOUN_FOLLOWS
        and places[number + 1] == places[number] + 1
    ]
    if not spots:
        return pair
    number = draw.choice(spots)
    if target[number] in ("will", "would") and draw.random() < 0.5:
        new = [draw.choice(_MODALS)]
    else:
        adverbs = _ADVERBS if target[number] not in ("can", "should", "must") else ("not", "never")
        new = [target[number], draw.choice(adverbs)]
    place = places[number]
    return Pair(
        " ".join([*source[:place], *new, *source[place + 1 :]]),
        " ".join([*target[:number], *new, *target[number + 1 :]]),
    )
