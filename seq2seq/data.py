"""Files of pairs, and batches made of them."""

from __future__ import annotations

import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seq2seq.dialogue import source_of
from seq2seq.errors import UserError
from seq2seq.tokenizer import BOS, EOS, PAD

# The words that a header may consist of.
COLUMN = re.compile(
    "id|source|target|en|fr|de|es|it|pt|nl|ru|sentence|compression|description|synopsis|abstract|tldr|"
    "lead|headline|before|context|response|word|phonemes"
)
SIDES, TURNS = ("source", "target"), ("before", "context", "response")
OPENERS: dict[str, Callable] = {".xz": lzma.open, ".gz": gzip.open}


class Pair(NamedTuple):
    """A source and its target, as text."""

    source: str
    target: str


class Example(NamedTuple):
    """A source and its target, as ids without start and end tokens."""

    source: list[int]
    target: list[int]


class Batch(NamedTuple):
    """Ids for one step: source with EOS, target with BOS, labels with EOS; each (rows, time).

    For speech, source is frames (rows, frames, bins), and mask (rows, frames) is True on sound.
    """

    source: Tensor
    target: Tensor
    labels: Tensor
    mask: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        parts = (None if each is None else each.to(device, non_blocking=True) for each in self)
        return Batch(*parts)  # type: ignore[arg-type]


def read_pairs(path: Path, columns: Sequence[str] = (), separator: str = "") -> list[Pair]:
    """Read a tab-separated file, plain or .xz or .gz; rows without text on both sides are left out.

    A first line of nothing but known column names, or with the columns named, is a header. The
    target is the last of the columns named; all before it are turns, which source_of joins by the
    separator. Without names they are `source` and `target` if both are there, else `before`,
    `context` and `response`, else the first two.
    Raises UserError if the file is missing or holds no pairs.
    """
    opener = OPENERS.get(path.suffix, open)
    try:
        with opener(path, "rt", encoding="utf-8", newline="\n") as file:
            rows = [line.rstrip("\r\n").split("\t") for line in file]
    except FileNotFoundError:
        raise UserError(f"There is no file {path.name}: check its path.") from None
    except (OSError, EOFError, lzma.LZMAError, zlib.error, UnicodeDecodeError):
        raise UserError(
            f"{path.name} cannot be read: give UTF-8 text, plain, .xz or .gz."
        ) from None
    *sides, target = _columns(rows, columns, path.name)
    pairs = [
        Pair(source_of([row[side] for side in sides], separator), row[target].strip())
        for row in rows
        if len(row) > max(*sides, target)
    ]
    pairs = [pair for pair in pairs if pair.source and pair.target]
    if not pairs:
        raise UserError(f"{path.name} holds no pairs: each line needs a source, a tab, a target.")
    return pairs


def _columns(rows: list[list[str]], names: Sequence[str], file: str) -> list[int]:
    header: list[str] = []
    first = rows[0] if rows else []
    known = all(COLUMN.fullmatch(cell) for cell in first)
    if len(first) > 1 and (known or (names and set(names) <= set(first))):
        header = rows.pop(0)
    if not names:
        usual = (each for each in (SIDES, TURNS) if set(each) <= set(header))
        names = next(usual, tuple(header[:2]))
    if not names:
        return [0, 1]
    missing = [name for name in names if name not in header]
    if missing:
        raise UserError(f"{file} has no column {missing[0]!r}: it has {', '.join(header)}.")
    return [header.index(name) for name in names]


def pad(rows: Sequence[Sequence[int]], value: int = PAD) -> Tensor:
    """Stack rows of ids to one tensor (rows, longest), padded on the right."""
    padded = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return torch.from_numpy(padded)


def collate(examples: Sequence[Example]) -> Batch:
    """Make one batch, with start and end tokens."""
    return Batch(
        pad([[*example.source, EOS] for example in examples]),
        pad([[BOS, *example.target] for example in examples]),
        pad([[*example.target, EOS] for example in examples]),
    )


def plan_batches(examples: Sequence[Example], tokens: int, seed: int) -> list[np.ndarray]:
    """Group example numbers into batches of at most so many padded target tokens, in random order.

    The sources of a batch are of one length, so that recurrent encoders need no packing; its
    targets are of similar length.
    """
    random = np.random.default_rng(seed)
    source = np.array([len(example.source) for example in examples])
    target = np.array([len(example.target) + 1 for example in examples])
    order = np.lexsort((target + random.random(len(target)), source))
    batches, start, longest = [], 0, 0
    for position, index in enumerate(order):
        longest = max(longest, target[index])
        full = (position - start + 1) * longest > tokens
        if position > start and (full or source[index] != source[order[start]]):
            batches.append(order[start:position])
            start, longest = position, target[index]
    if start < len(order):
        batches.append(order[start:])
    return [batches[i] for i in random.permutation(len(batches))]


def in_groups(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Yield the numbers of items in groups of `size`, items of like length together."""
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    for start in range(0, len(order), size):
        yield order[start : start + size]
