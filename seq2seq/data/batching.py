"""Examples of token ids, and the batches that a training step reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from seq2seq.data.tokenizer import BOS, EOS, PAD


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
