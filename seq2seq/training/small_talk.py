"""Exchanges of small talk made from patterns of our own, whose replies take up the message.

What people wrote to strangers seldom answers "My cat is ill."; here half of what a reply needs
stands in the message, so that a model has to read it. The patterns are in small_talk.tsv.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from seq2seq.data.dialogue import source_of, turns_of
from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.reply_cleaning import tidy

PATTERNS = Path(__file__).with_name("small_talk.tsv")
WRITTEN = "¶"  # what separates the turns of a pattern
SLOT = re.compile(r"\{([a-z]+)(\d?)\}")


class Patterns(NamedTuple):
    """slots: what may stand for each. exchanges: messages and the replies that fit all of them."""

    slots: dict[str, tuple[str, ...]]
    exchanges: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


@cache
def patterns() -> Patterns:
    """Read the patterns; alternatives are separated by "|"."""
    slots, exchanges = {}, []
    for line in PATTERNS.read_text(encoding="utf-8").splitlines():
        kind, first, second = line.split("\t")
        if kind == "slot":
            slots[first] = tuple(second.split("|"))
        else:
            exchanges.append((tuple(first.split("|")), tuple(second.split("|"))))
    return Patterns(slots, tuple(exchanges))


def exchanges(
    count: int, separator: str, draw: random.Random, but: Iterable[str] = ()
) -> list[Pair]:
    """Make so many pairs of a message, perhaps of several turns, and its reply.

    separator: between the turns of a source. but: messages that are never made, however they are
    written: those that a model is judged by.
    """
    kept, made = {_plain(text) for text in but}, list[Pair]()
    talks = patterns().exchanges
    weights = [len(messages) for messages, _ in talks]
    while len(made) < count:
        [(messages, replies)] = draw.choices(talks, weights)
        message = draw.choice(messages)
        reply = draw.choice(fitting(message, messages, replies))
        words: dict[str, str] = {}
        said = _filled(message, words, draw)
        if _plain(said) not in kept:
            turns = [_begun(turn) for turn in turns_of(said, WRITTEN)]
            made.append(Pair(source_of(turns, separator), tidy(_filled(reply, words, draw))))
    return made


def fitting(message: str, messages: Iterable[str], replies: Iterable[str]) -> list[str]:
    """Return the replies that name nothing that other messages of theirs do and this one does not.

    A slot that no message has is free: "How about some {food}?".
    """
    others = {slot for each in messages for slot in _slots(each)} - _slots(message)
    return [reply for reply in replies if not _slots(reply) & others]


def _slots(pattern: str) -> set[str]:
    return {name for name, _ in SLOT.findall(pattern)}


def _filled(pattern: str, words: dict[str, str], draw: random.Random) -> str:
    """Fill in a pattern; a slot stands for one word throughout, others of its kind for others."""
    for found in SLOT.finditer(pattern):
        others = [each for each in patterns().slots[found[1]] if each not in words.values()]
        words.setdefault(found[0], draw.choice(others))
    text = SLOT.sub(lambda found: words[found[0]], pattern)
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def _begun(turn: str) -> str:
    """Begin a turn that ends with a mark as a sentence, whatever slot it begins with."""
    return turn[0].upper() + turn[1:] if turn.endswith((".", "!", "?")) else turn


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
