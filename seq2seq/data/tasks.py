"""Tasks whose pairs are generated: small enough to be learnt while somebody waits.

Torch, which batches need, is not imported to read about a task.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from datetime import date
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING, NamedTuple

from seq2seq.data.number_words import english
from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.pig_latin import invented_word, pig_latin
from seq2seq.data.written_dates import written_date
from seq2seq.errors import UserError, quote

if TYPE_CHECKING:
    from seq2seq.data.batching import Example

SPECIAL = 4  # ids of padding, unknown, start and end come first
SHORTEST, LONGEST = 4, 12  # symbols of a string
SEEN, UNSEEN, LEVELS = 18, 6, 12  # values of a wave, and the levels that they are rounded to
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2099, 12, 31)


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
    from seq2seq.data.batching import Example

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
    from seq2seq.data.batching import Example

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


class Draw(NamedTuple):
    """Pairs of a task in text. No source of valid is in train."""

    train: tuple[Pair, ...]
    valid: tuple[Pair, ...]


class TextTask(NamedTuple):
    """A task whose pairs are drawn as text.

    rule: what is to be done, in words. make: draws one pair. kind, source_kind: of the tokens, as
    in a recipe's [tokenizer]. order: "forward" or "backward" where output token t is made from
    source token t, or from the t-th from the end; "" where there is no such rule.
    """

    title: str
    rule: str
    make: Callable[[random.Random], Pair]
    kind: str = "character"
    source_kind: str = ""
    order: str = ""

    def source_of(self, step: int, length: int) -> int | None:
        """Return the place of the source token, of so many, that output token `step` is made from.

        Both from 0; None where there is no such rule.
        """
        if not self.order or step >= length:
            return None
        return step if self.order == "forward" else length - 1 - step


def draw_pairs(name: str, pairs: int, held_out: int, seed: int = 0) -> Draw:
    """Draw pairs of a task by its name, every source once.

    Raises UserError for a name that there is not, or where there are too few different sources.
    """
    task = text_task(name)
    draw, made = random.Random(seed), dict[str, Pair]()
    for _ in range(20 * (pairs + held_out)):
        pair = task.make(draw)
        made.setdefault(pair.source, pair)
        if len(made) == pairs + held_out:
            drawn = tuple(made.values())
            return Draw(drawn[held_out:], drawn[:held_out])
    raise UserError(
        f"The task {name} has too few different sources for {pairs + held_out:,} pairs: ask for "
        f"at most {len(made) - held_out:,}."
    )


def text_task(name: str) -> TextTask:
    """Return a task by its name. Raises UserError for a name that there is not."""
    if name not in TASKS:
        raise UserError(f"There is no task {quote(name)}: use {', '.join(TASKS)}.")
    return TASKS[name]


def _letters(draw: random.Random) -> list[str]:
    return draw.choices(ascii_lowercase, k=draw.randint(SHORTEST, LONGEST))


def _copy(draw: random.Random) -> Pair:
    text = " ".join(_letters(draw))
    return Pair(text, text)


def _reverse(draw: random.Random) -> Pair:
    letters = _letters(draw)
    return Pair(" ".join(letters), " ".join(reversed(letters)))


def _sort(draw: random.Random) -> Pair:
    given = draw.choices(digits, k=draw.randint(SHORTEST, LONGEST))
    return Pair(" ".join(given), " ".join(sorted(given)))


def _date(draw: random.Random) -> Pair:
    day = date.fromordinal(draw.randint(FIRST_DAY.toordinal(), LAST_DAY.toordinal()))
    return Pair(written_date(day, draw), day.isoformat())


def _addition(draw: random.Random) -> Pair:
    # As many sums of one, two and three digits, which otherwise would nearly all have three.
    first, second = (draw.randrange(10 ** draw.randint(1, 3)) for _ in range(2))
    return Pair(f"{first} + {second}", str(first + second))


def _number(draw: random.Random) -> Pair:
    number = draw.randrange(10 ** draw.randint(1, 5))
    return Pair(english(number).replace("-", " ").replace(",", ""), str(number))


def _pig_latin(draw: random.Random) -> Pair:
    word = invented_word(draw)
    return Pair(word, pig_latin(word))


def _wave(draw: random.Random) -> Pair:
    period, phase = draw.uniform(4, 12), draw.random()
    size = draw.uniform(0.4, 0.5) * (LEVELS - 1)
    values = [
        str(round((LEVELS - 1) / 2 + size * math.sin(2 * math.pi * (place / period + phase))))
        for place in range(SEEN + UNSEEN)
    ]
    return Pair(" ".join(values[:SEEN]), " ".join(values[SEEN:]))


TASKS = {
    "copy": TextTask("Copy", "Write the letters again", _copy, "word", order="forward"),
    "reverse": TextTask(
        "Reverse",
        "Write the letters from the last to the first",
        _reverse,
        "word",
        order="backward",
    ),
    "sort": TextTask("Sort digits", "Write the digits from 0 to 9", _sort, "word"),
    "dates": TextTask("Dates", "Write a date as year, month and day", _date),
    "addition": TextTask("Addition", "Write the sum of two numbers", _addition),
    "numbers": TextTask(
        "Numbers in words", "Write a number in digits", _number, source_kind="word"
    ),
    "pig-latin": TextTask("Pig Latin", "Move what stands before the vowel to the end", _pig_latin),
    "waves": TextTask("Waves", "Continue a wave, whose values are tokens", _wave, "word"),
}
