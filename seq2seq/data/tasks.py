"""Tasks whose pairs are generated: small enough to be learnt while somebody waits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from seq2seq.data.batching import Example
from seq2seq.data.number_words import english

SPECIAL = 4  # ids of padding, unknown, start and end come first


class Task(NamedTuple):
    """Pairs over one alphabet of symbols, whose ids follow the special ones.

    train, valid: no source of valid is in train.
    """

    symbols: tuple[str, ...]
    train: tuple[Example, ...]
    valid: tuple[Example, ...]

    @property
    def vocabulary(self) -> int:
        """Count the ids, special ones included."""
        return SPECIAL + len(self.symbols)

    def text(self, ids: Sequence[int]) -> str:
        """Write ids as symbols, special ones left out."""
        return " ".join(self.symbols[token - SPECIAL] for token in ids if token >= SPECIAL)


def copying(pairs: int, valid: int, lengths: range, symbols: int = 16, seed: int = 0) -> Task:
    """Draw strings of random symbols that are to be repeated: all that counts is memory.

    Raises ValueError if there are not twice as many different strings as are to be drawn.
    """
    if sum(symbols**length for length in lengths) < 2 * (pairs + valid):
        raise ValueError(f"too few strings of {symbols} symbols")
    draw = random.Random(seed)
    seen: set[tuple[int, ...]] = set()
    while len(seen) < pairs + valid:
        length = draw.choice(lengths)
        seen.add(tuple(draw.randrange(SPECIAL, SPECIAL + symbols) for _ in range(length)))
    rows = sorted(seen)
    draw.shuffle(rows)
    made = [Example(list(row), list(row)) for row in rows]
    names = tuple(chr(ord("a") + number) for number in range(symbols))
    return Task(names, tuple(made[valid:]), tuple(made[:valid]))


def number_reading(pairs: int, valid: int, below: int = 10_000, seed: int = 0) -> Task:
    """Draw numbers in English words that are to be written in digits, as "forty two" to "4 2"."""
    draw = random.Random(seed)
    numbers = draw.sample(range(below), pairs + valid)
    words = [english(number).replace("-", " ").replace(",", " ").split() for number in numbers]
    known = sorted({word for number in words for word in number} | set("0123456789"))
    ids = {name: SPECIAL + place for place, name in enumerate(known)}
    made = [
        Example([ids[word] for word in source], [ids[digit] for digit in str(number)])
        for source, number in zip(words, numbers, strict=True)
    ]
    return Task(tuple(known), tuple(made[valid:]), tuple(made[:valid]))
