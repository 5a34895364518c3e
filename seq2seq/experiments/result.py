"""What every experiment returns: the numbers, what they say of a claim, and what they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seq2seq.checkpoint import Checkpoint
from seq2seq.evaluation.results import Curve

FOR, AGAINST, UNDECIDED = "for", "against", "undecided"
DRAWS = 1_000  # resamples of a bootstrap interval

Load = Callable[[str], Checkpoint]  # a checkpoint by its name
OnPart = Callable[[int, int], object]  # parts that are done, and all of them


@dataclass(frozen=True)
class Axes:
    """What the curves of a result are drawn over. ticks: labels at 1, 2 ..., () for numbers."""

    x: str
    y: str
    ticks: tuple[str, ...] = ()
    logarithmic: bool = False


@dataclass(frozen=True)
class Result:
    """What an experiment has measured.

    value: the number that a prediction is about, in the unit of `unit`. verdict: FOR, AGAINST or
    UNDECIDED, by the rule in the experiment's docstring. sentence: made of the numbers. table:
    columns by name, all equally long. counts: what was measured, how often. also: a second
    measurement of the same claim.
    """

    verdict: str
    value: float
    unit: str
    sentence: str
    curves: tuple[Curve, ...]
    axes: Axes
    counts: str
    seed: int
    seconds: float
    table: Mapping[str, Sequence[Any]]
    also: Result | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        values = asdict(self)
        values["curves"] = [curve._asdict() for curve in self.curves]
        values["also"] = self.also.to_dict() if self.also else None
        return values


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Return the ends of the 95 % bootstrap interval of a mean (Efron 1979), by percentiles."""
    array = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(seed).integers(0, len(array), (DRAWS, len(array)))
    low, high = np.percentile(array[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def mean_curve(name: str, points: Mapping[float, Sequence[float]], seed: int = 0) -> Curve:
    """Return a curve of means with their intervals; points: the values at each x."""
    ends = [interval(values, seed) for values in points.values()]
    return Curve(
        name,
        tuple(points),
        tuple(float(np.mean(values)) for values in points.values()),
        tuple(low for low, _ in ends),
        tuple(high for _, high in ends),
        tuple(f"{len(values)} measured" for values in points.values()),
    )


def counter(on_part: OnPart, total: int) -> Callable[[int], None]:
    """Return a function that takes how many parts were done since its last call."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        on_part(done, total)

    return count


def by_sign(low: float, high: float) -> str:
    """Return the verdict on a difference that a claim wants to be above 0, by its interval."""
    return FOR if low > 0 else AGAINST if high < 0 else UNDECIDED
