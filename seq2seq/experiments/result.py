"""What every experiment returns: the numbers, what they say of a claim, and what they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from seq2seq.catalogue import Card
from seq2seq.evaluation.results import Curve

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint

FOR, AGAINST, UNDECIDED = "for", "against", "undecided"
NONE = ""  # the verdict of what was recorded
DRAWS = 1_000  # resamples of a bootstrap interval

Load: TypeAlias = "Callable[[str], Checkpoint]"  # a checkpoint by its name


@dataclass(frozen=True)
class Axes:
    """What the curves of a result are drawn over. ticks: labels at 1, 2 ..., () for numbers.

    ordered: False where the labels are names in no order, whose points are not joined by lines.
    """

    x: str
    y: str
    ticks: tuple[str, ...] = ()
    logarithmic: bool = False
    ordered: bool = True


@dataclass(frozen=True)
class Partial:
    """What is known before an experiment has ended. texts: outputs so far, by what they are of."""

    curves: tuple[Curve, ...] = ()
    axes: Axes | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


class OnPart(Protocol):
    """Gets how many parts are done, how many there are, and what is known by then, if anything."""

    def __call__(self, done: int, total: int, partial: Partial | None = None, /) -> object:
        """Take it; raises to end the experiment."""
        ...


class Case(NamedTuple):
    """One source of many. at: the place on the horizontal axis that it counts for. score: as on
    the vertical axis, for the first of the models. models: that read it, by name.
    """

    at: float
    source: str
    reference: str
    output: str
    score: float
    models: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """What an experiment has measured.

    value: the number that a prediction is about, in the unit of `unit`; ends: its 95 % interval,
    () where there is none. verdict: FOR, AGAINST or UNDECIDED, by the rule in the experiment's
    docstring. sentence: made of the numbers. table: columns by name, all equally long. counts: what
    was measured, how often. also: further measurements of the same claim. cases: the sources that
    a reader may want to see one by one. recorded: it was not measured now, but when the models were
    trained; such a result has no verdict.
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
    also: tuple[Result, ...] = ()
    ends: tuple[float, float] | tuple[()] = ()
    cases: tuple[Case, ...] = ()
    recorded: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        values = asdict(self)
        values["curves"] = [curve._asdict() for curve in self.curves]
        values["cases"] = [case._asdict() for case in self.cases]
        values["also"] = [each.to_dict() for each in self.also]
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


def title_of(model: Checkpoint | Card) -> str:
    """Return how a model is called in a sentence: its title without the languages."""
    card = model if isinstance(model, Card) else model.card
    return card.title.partition(", English")[0]


def titles_of(load: Load, names: Sequence[str]) -> dict[str, str]:
    """Return how models are called in one sentence, by name; those called alike get their name."""
    titles = {name: title_of(load(name)) for name in names}
    counts = Counter(titles.values())
    return {
        name: title if counts[title] == 1 else f"{title} ({name})" for name, title in titles.items()
    }


def by_sign(low: float, high: float) -> str:
    """Return the verdict on a difference that a claim wants to be above 0, by its interval."""
    return FOR if low > 0 else AGAINST if high < 0 else UNDECIDED
