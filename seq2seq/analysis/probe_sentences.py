"""English sentences of our own whose grammar is known, because they are made by it.

What a context vector holds of a sentence can be asked of them: which ones lie side by side, and
what do they share?
"""

from __future__ import annotations

import itertools
import random
from typing import NamedTuple


class Probe(NamedTuple):
    """A sentence and its features. words: how many there are."""

    text: str
    topic: str
    tense: str
    number: str
    polarity: str
    kind: str
    voice: str
    length: str


# What a map can be coloured by; number is the subject's.
FEATURES = Probe._fields[1:]
LONG = 8  # words, from which on a sentence is called long


class _Grammar(NamedTuple):
    """What a sentence of a topic is made by; number is the subject's."""

    tense: str
    number: str
    polarity: str
    kind: str
    voice: str
    adjunct: bool


class _Verb(NamedTuple):
    base: str
    third: str
    past: str
    participle: str


class _Topic(NamedTuple):
    """Who does what to what: (singular, plural) nouns, and where or when."""

    doers: tuple[tuple[str, str], ...]
    verbs: tuple[_Verb, ...]
    things: tuple[tuple[str, str], ...]
    adjuncts: tuple[str, ...]


_TOPICS = {
    "food": _Topic(
        (("cook", "cooks"), ("guest", "guests"), ("baker", "bakers")),
        (
            _Verb("eat", "eats", "ate", "eaten"),
            _Verb("prepare", "prepares", "prepared", "prepared"),
            _Verb("sell", "sells", "sold", "sold"),
        ),
        (("cake", "cakes"), ("apple", "apples"), ("soup", "soups")),
        ("in the small kitchen", "before the big dinner", "at the market"),
    ),
    "animals": _Topic(
        (("cat", "cats"), ("dog", "dogs"), ("fox", "foxes")),
        (
            _Verb("chase", "chases", "chased", "chased"),
            _Verb("find", "finds", "found", "found"),
            _Verb("catch", "catches", "caught", "caught"),
        ),
        (("mouse", "mice"), ("bird", "birds"), ("rabbit", "rabbits")),
        ("in the green garden", "behind the old house", "near the river"),
    ),
    "school": _Topic(
        (("teacher", "teachers"), ("student", "students"), ("girl", "girls")),
        (
            _Verb("write", "writes", "wrote", "written"),
            _Verb("read", "reads", "read", "read"),
            _Verb("explain", "explains", "explained", "explained"),
        ),
        (("letter", "letters"), ("story", "stories"), ("lesson", "lessons")),
        ("in the quiet classroom", "after the long holiday", "on Monday morning"),
    ),
    "travel": _Topic(
        (("driver", "drivers"), ("tourist", "tourists"), ("pilot", "pilots")),
        (
            _Verb("see", "sees", "saw", "seen"),
            _Verb("visit", "visits", "visited", "visited"),
            _Verb("leave", "leaves", "left", "left"),
        ),
        (("station", "stations"), ("island", "islands"), ("hotel", "hotels")),
        ("during the cold winter", "with two heavy bags", "late at night"),
    ),
    "home": _Topic(
        (("father", "fathers"), ("neighbor", "neighbors"), ("sister", "sisters")),
        (
            _Verb("clean", "cleans", "cleaned", "cleaned"),
            _Verb("break", "breaks", "broke", "broken"),
            _Verb("buy", "buys", "bought", "bought"),
        ),
        (("table", "tables"), ("window", "windows"), ("chair", "chairs")),
        ("on the first floor", "for our new flat", "every single summer"),
    ),
}
_CHOICES = {
    "tense": ("present", "past", "future"),
    "number": ("singular", "plural"),
    "polarity": ("affirmative", "negative"),
    "kind": ("statement", "question"),
    "voice": ("active", "passive"),
}


def probes(count: int = 400, seed: int = 0) -> list[Probe]:
    """Draw so many different sentences, all combinations of features as often as each other."""
    draw, made = random.Random(seed), dict[str, Probe]()
    grammars = map(_Grammar._make, itertools.product(*_CHOICES.values(), (False, True)))
    combinations = list(itertools.product(_TOPICS, grammars))
    while len(made) < count:
        before = len(made)
        draw.shuffle(combinations)
        for topic, grammar in combinations:
            text = _sentence(_TOPICS[topic], grammar, draw)
            length = "long" if len(text.split()) >= LONG else "short"
            if len(made) < count:
                made.setdefault(text, Probe(text, topic, *grammar[:-1], length))
        assert len(made) > before, "the grammar has no more sentences"
    return list(made.values())


def _sentence(topic: _Topic, grammar: _Grammar, draw: random.Random) -> str:
    tense, number, polarity, kind, voice, adjunct = grammar
    plural, negative = number == "plural", polarity == "negative"
    doer, thing = draw.choice(topic.doers), draw.choice(topic.things)
    verb, other = draw.choice(topic.verbs), draw.random() < 0.5
    if voice == "active":
        subject, rest = f"the {doer[plural]}", [f"the {thing[other]}"]
    else:
        subject, rest = f"the {thing[plural]}", [f"by the {doer[other]}"]
    auxiliary, core = _verb_group(verb, tense, plural, voice)
    if not auxiliary and (negative or kind == "question"):
        auxiliary = {"past": "did", "present": "do" if plural else "does"}[tense]
        core = verb.base
    rest += [draw.choice(topic.adjuncts)] if adjunct else []
    no = ["not"] if negative else []
    if kind == "question":
        words = [auxiliary, subject, *no, core, *rest]
    else:
        words = [subject, *([auxiliary] if auxiliary else []), *no, core, *rest]
    text = " ".join(words)
    return text[0].upper() + text[1:] + ("?" if kind == "question" else ".")


def _verb_group(verb: _Verb, tense: str, plural: bool, voice: str) -> tuple[str, str]:
    """Return auxiliary ("" for none) and the rest of the verb."""
    if voice == "active":
        if tense == "future":
            return "will", verb.base
        return "", verb.past if tense == "past" else (verb.base if plural else verb.third)
    if tense == "future":
        return "will", f"be {verb.participle}"
    be = {"present": ("is", "are"), "past": ("was", "were")}[tense][plural]
    return be, verb.participle
