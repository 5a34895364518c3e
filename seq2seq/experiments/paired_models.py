"""Two models, or more, on the same sentences: what the one gains over the other, by length."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seq2seq.evaluation.results import Curve
from seq2seq.experiments.references import LENGTH_NAMES, Reference, Scored, by_length, score
from seq2seq.experiments.result import (
    Axes,
    Case,
    Load,
    OnPart,
    Partial,
    Result,
    by_sign,
    interval,
    titles_of,
)

AXES = Axes("words of the source", "chrF", LENGTH_NAMES)


class Held(NamedTuple):
    """Which two of the models are held against each other, by their names.

    groups: the lengths that count, as places in references.LENGTHS; () for all.
    """

    first: str
    last: str
    groups: tuple[int, ...] = ()

    def counts(self, pair: Reference) -> bool:
        """Tell whether a reference is of a length that counts."""
        return not self.groups or pair.group in self.groups


def compare(
    load: Load,
    on_part: OnPart,
    seed: int,
    models: Sequence[str],
    pairs: tuple[Reference, ...],
    held: Held,
) -> Result:
    """Score models on references; value: what the last of the two that are held gains in chrF."""
    started, total = time.perf_counter(), len(models) * len(pairs)
    titles = titles_of(load, models)
    scored: dict[str, list[Scored]] = {}
    for number, name in enumerate(models):
        known, done = _curves(titles, scored, seed), number * len(pairs)

        def count(more: int, known: tuple[Curve, ...] = known) -> None:
            nonlocal done
            done += more
            on_part(done, total, Partial(known, AXES))

        scored[name] = score(load(name), pairs, count)
    first, last = scored[held.first], scored[held.last]
    gains = [right.chrf - left.chrf for left, right in zip(first, last, strict=True)]
    kept = [gain for gain, pair in zip(gains, pairs, strict=True) if held.counts(pair)]
    low, high = interval(kept, seed)
    lengths = " or ".join(LENGTH_NAMES[group] for group in held.groups)
    return Result(
        by_sign(low, high),
        float(np.mean(kept)),
        "chrF",
        f"On {len(kept)} sentences{f' of {lengths} words' if lengths else ''}, "
        f"{titles[held.last]} has {np.mean(kept):+.1f} chrF (95 %: {low:+.1f} to {high:+.1f}) "
        f"against {titles[held.first]}.",
        _curves(titles, scored, seed),
        AXES,
        f"{len(pairs)} sentences, {len(models)} models",
        seed,
        time.perf_counter() - started,
        _table(titles, scored, pairs, gains),
        ends=(low, high),
        cases=tuple(_case(left, held) for left in first),
    )


def _table(
    titles: dict[str, str],
    scored: dict[str, list[Scored]],
    pairs: tuple[Reference, ...],
    gains: list[float],
) -> dict[str, list[str] | list[float]]:
    outputs = {titles[name]: [each.output for each in found] for name, found in scored.items()}
    return {
        "source": [pair.source for pair in pairs],
        "reference": [pair.target for pair in pairs],
        **outputs,
        "gain": [round(gain, 1) for gain in gains],
    }


def _case(scored: Scored, held: Held) -> Case:
    source, target, group = scored.reference
    return Case(group + 1.0, source, target, scored.output, scored.chrf, (held.first, held.last))


def _curves(
    titles: dict[str, str], scored: dict[str, list[Scored]], seed: int
) -> tuple[Curve, ...]:
    return tuple(
        by_length(
            titles[name],
            [each.reference for each in found],
            [each.chrf for each in found],
            seed,
        )
        for name, found in scored.items()
    )
