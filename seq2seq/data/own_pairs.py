"""Pairs that a visitor pastes or uploads, checked line by line."""

from __future__ import annotations

import random
from collections.abc import Sequence

from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.tasks import Draw
from seq2seq.errors import UserError

MOST_PAIRS = 20_000
MOST_BYTES = 10_000_000
LONGEST_SIDE = 300  # characters
FEWEST = 10
HELD_OUT, MOST_HELD_OUT = 0.1, 200  # share and number of pairs that are not learnt from


def read_own_pairs(content: bytes | str, most: int = MOST_PAIRS) -> list[Pair]:
    """Read lines of a source, a tab and a target; empty lines are left out.

    Raises UserError, with the number of the line, for the first that is no pair; and for too few
    pairs, too many, or pairs that are all the same.
    """
    if len(content) > MOST_BYTES:
        raise UserError(
            f"These pairs take {len(content) / 1e6:,.0f} MB: give at most "
            f"{MOST_BYTES / 1e6:.0f} MB."
        )
    text = _text_of(content)
    lines = {number: line for number, line in enumerate(text.splitlines(), start=1) if line.strip()}
    if len(lines) > most:
        raise UserError(f"These are {len(lines):,} pairs: give at most {most:,}.")
    pairs = [_pair_of(line, number) for number, line in lines.items()]
    if len(pairs) < FEWEST:
        raise UserError(
            f"There are too few pairs, {len(pairs)}: give at least {FEWEST}, since some are kept "
            "from training."
        )
    if len(set(pairs)) == 1:
        raise UserError("All pairs are the same: give different ones, so that there is a rule.")
    return pairs


def split_pairs(pairs: Sequence[Pair], seed: int) -> Draw:
    """Keep a part of the pairs from training; a source that is there twice is on one side only."""
    by_source: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_source.setdefault(pair.source, []).append(pair)
    sources = list(by_source)
    random.Random(seed).shuffle(sources)
    count = max(1, min(MOST_HELD_OUT, round(HELD_OUT * len(sources))))
    train = [pair for source in sources[count:] for pair in by_source[source]]
    if not train:
        raise UserError("All sources are the same: give different ones, so that there is a rule.")
    return Draw(tuple(train), tuple(by_source[source][0] for source in sources[:count]))


def as_lines(pairs: Sequence[Pair]) -> str:
    """Write pairs as read_own_pairs reads them."""
    return "".join(f"{pair.source}\t{pair.target}\n" for pair in pairs)


def token_kind(pairs: Sequence[Pair]) -> str:
    """Choose tokens for pairs: "character" for short texts, "word" for long ones."""
    longest = sorted(max(len(pair.source), len(pair.target)) for pair in pairs)
    return "character" if longest[len(longest) * 9 // 10] <= 40 else "word"


def _text_of(content: bytes | str) -> str:
    if isinstance(content, str):
        return content
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(f"Line {line} is not UTF-8 text: save the file as UTF-8.") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UserError(f"Line {line} holds a byte that is not text: give a text file.")
    return text


def _pair_of(line: str, number: int) -> Pair:
    source, tab, target = line.partition("\t")
    if not tab:
        raise UserError(f"Line {number} has no tab: write a source, a tab and a target.")
    source, target = source.strip(), target.split("\t")[0].strip()
    if not source or not target:
        side = "target" if source else "source"
        raise UserError(f"Line {number} has an empty {side}: write text on both sides of the tab.")
    if max(len(source), len(target)) > LONGEST_SIDE:
        raise UserError(
            f"Line {number} has {max(len(source), len(target)):,} characters on one side: give at "
            f"most {LONGEST_SIDE}."
        )
    return Pair(source, target)
