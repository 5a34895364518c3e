"""Sentences of our own with a translation each, written before any model had read them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import pad
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import SearchResult
from seq2seq.evaluation.results import Curve
from seq2seq.evaluation.sentence_metrics import chrf
from seq2seq.experiments.result import mean_curve
from seq2seq.inference.generated import to_text
from seq2seq.inference.generation import generate
from seq2seq.inference.inputs import prepare
from seq2seq.models.protocol import Memory

FILE = Path(__file__).with_name("reference_pairs.tsv")
LENGTHS = ((1, 5), (6, 9), (10, 15), (16, 30))  # words of a source, of each group
LENGTH_NAMES = tuple(f"{low} to {high}" for low, high in LENGTHS)
GREEDY = Options(method="greedy")
TOGETHER = 12  # sentences that `translate` encodes at once


class Reference(NamedTuple):
    """An English sentence and one French translation. group: its place in LENGTHS."""

    source: str
    target: str
    group: int


class Scored(NamedTuple):
    """What a model wrote for a reference's source, and its chrF, 0 to 100 (Popović 2015)."""

    reference: Reference
    output: str
    chrf: float


@cache
def references() -> tuple[Reference, ...]:
    """Read all of them, from the shortest group to the longest."""
    rows = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines()]
    pairs = (Reference(source, target, _group(source)) for source, target in rows)
    return tuple(sorted(pairs, key=lambda pair: pair.group))


def some(pairs: tuple[Reference, ...], count: int, seed: int) -> tuple[Reference, ...]:
    """Draw so many, or all if there are fewer, as many of each length as of the others."""
    if count >= len(pairs):
        return pairs
    draw = random.Random(seed)
    chosen = []
    for group in range(len(LENGTHS)):
        known = [pair for pair in pairs if pair.group == group]
        chosen += draw.sample(known, min(len(known), count // len(LENGTHS)))
    return tuple(chosen)


def _group(source: str) -> int:
    words = len(source.split())
    return next(place for place, (low, high) in enumerate(LENGTHS) if low <= words <= high)


def score(
    checkpoint: Checkpoint, given: tuple[Reference, ...], on_done: Callable[[int], None]
) -> list[Scored]:
    """Translate and score references; on_done gets how many were done since the last call."""
    sources = [each.source for each in given]
    outputs = [each.text for each in generate(checkpoint, sources, batch=8, on_group=on_done)]
    return [
        Scored(each, output, chrf(output, each.target))
        for each, output in zip(given, outputs, strict=True)
    ]


@torch.inference_mode()
def translate(
    checkpoint: Checkpoint,
    given: tuple[Reference, ...],
    decode: Callable[[Memory], list[SearchResult]],
    on_done: Callable[[int], None],
) -> list[str]:
    """Translate references with a decoding of one's own; on_done is called as `score` does.

    decode: gets the memory of some sources and returns what was found for each.
    """
    texts = []
    for first in range(0, len(given), TOGETHER):
        group = [prepare(checkpoint, pair.source, GREEDY) for pair in given[first:][:TOGETHER]]
        ids = pad([source.ids for source in group], checkpoint.model.config.pad)
        found = decode(checkpoint.model.encode(ids.to(checkpoint.device)))
        for source, each in zip(group, found, strict=True):
            texts.append(to_text(checkpoint, each, source.typed))
        on_done(len(group))
    return texts


def by_length(name: str, given: Sequence[Reference], values: Sequence[float], seed: int) -> Curve:
    """Return the means of one value for each reference, at 1 for the first of LENGTHS and so on."""
    groups: dict[float, list[float]] = {}
    for pair, value in zip(given, values, strict=True):
        groups.setdefault(float(pair.group + 1), []).append(value)
    return mean_curve(name, groups, seed)
