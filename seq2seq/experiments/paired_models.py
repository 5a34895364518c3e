"""Two models, or more, on the same sentences: what the one gains over the other, by length."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seq2seq.evaluation.results import Curve
from seq2seq.experiments.references import LENGTH_NAMES, Reference, Scored, references, score
from seq2seq.experiments.result import (
    Axes,
    Load,
    OnPart,
    Result,
    by_sign,
    counter,
    interval,
    mean_curve,
)


class Gain(NamedTuple):
    """Mean difference of chrF, with its paired 95 % interval (Koehn 2004)."""

    mean: float
    low: float
    high: float


def compare(
    load: Load,
    on_part: OnPart,
    seed: int,
    models: Sequence[str],
    pairs: tuple[Reference, ...] = (),
    groups: Sequence[int] = (),
) -> Result:
    """Score models on references; the last one is held against the first, on some length groups.

    groups: places in references.LENGTHS, () for all. value: the gain in chrF.
    """
    started, pairs = time.perf_counter(), pairs or references()
    count = counter(on_part, len(models) * len(pairs))
    scored = {name: score(load(name), pairs, count) for name in models}
    first, last = models[0], models[-1]
    gain = _gain(scored[first], scored[last], groups, seed)
    kept = sum(not groups or pair.group in groups for pair in pairs)
    long = f" of {' or '.join(LENGTH_NAMES[group] for group in groups)} words" if groups else ""
    return Result(
        by_sign(gain.low, gain.high),
        gain.mean,
        "chrF",
        f"On {kept} sentences{long}, {last} has {gain.mean:+.1f} chrF (95 %: {gain.low:+.1f} to "
        f"{gain.high:+.1f}) against {first}.",
        tuple(_curve(name, each, seed) for name, each in scored.items()),
        Axes("words of the source", "chrF", LENGTH_NAMES),
        f"{len(pairs)} sentences, {len(models)} models",
        seed,
        time.perf_counter() - started,
        {
            "source": [pair.source for pair in pairs],
            "reference": [pair.target for pair in pairs],
            first: [each.output for each in scored[first]],
            last: [each.output for each in scored[last]],
            "gain": [
                round(right.chrf - left.chrf, 1)
                for left, right in zip(scored[first], scored[last], strict=True)
            ],
        },
    )


def _gain(first: list[Scored], last: list[Scored], groups: Sequence[int], seed: int) -> Gain:
    differences = [
        right.chrf - left.chrf
        for left, right in zip(first, last, strict=True)
        if not groups or left.reference.group in groups
    ]
    return Gain(float(np.mean(differences)), *interval(differences, seed))


def _curve(name: str, scored: list[Scored], seed: int) -> Curve:
    by_group: dict[float, list[float]] = {}
    for each in scored:
        by_group.setdefault(float(each.reference.group + 1), []).append(each.chrf)
    return mean_curve(name, by_group, seed)
