"""What is known of a model that is being trained elsewhere: curves, outputs, attention, its end.

Everything here is bounded: of a long training fewer, but evenly spread, moments are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np

from seq2seq.training.snapshot import Written

POINTS, SNAPSHOTS = 400, 60

Kept = TypeVar("Kept")


class Trained(NamedTuple):
    """Steps until a moment. loss: mean since the last one, nats a token. norms: of the gradient of
    each part of the model.
    """

    step: int
    seconds: float
    loss: float
    norms: dict[str, float]


class Measured(NamedTuple):
    """Held-out examples at a moment; all shares are of 1.

    aligned: of the attention, on the true source token; None where that is not known. distances:
    see gradient_by_distance. written: some of the examples.
    """

    step: int
    seconds: float
    loss: float
    exact_match: float
    token_accuracy: float
    aligned: float | None
    distances: tuple[float, ...]
    written: tuple[Written, ...]


@dataclass
class Progress:
    """One model of a training.

    reason: why it failed, "" where it did not. folder: of its checkpoint, "" until there is one.
    """

    parameters: int = 0
    trained: list[Trained] = field(default_factory=list)
    scores: list[Measured] = field(default_factory=list)
    snapshots: list[Measured] = field(default_factory=list)
    tokens: int = 0
    done: float = 0.0
    learning_rate: float = 0.0
    reason: str = ""
    finished: bool = False
    folder: str = ""

    def read(self, event: dict[str, Any]) -> None:
        """Take in one line of the worker."""
        kind = event["event"]
        if kind == "ready":
            self.parameters = event["parameters"]
        elif kind == "step":
            fields = (event[name] for name in Trained._fields)
            self.trained = thinned([*self.trained, Trained(*fields)], POINTS)
            self.tokens, self.done = event["tokens"], event["done"]
            self.learning_rate = event["learning_rate"]
        elif kind == "evaluated":
            self._measure(event)
        elif kind == "failed":
            self.reason = event["reason"]
        elif kind == "finished":
            self.finished, self.done = True, 1.0
        elif kind == "saved":
            self.folder = event["folder"]

    def _measure(self, event: dict[str, Any]) -> None:
        values = {name: event[name] for name in Measured._fields}
        values["distances"] = tuple(values["distances"])
        values["written"] = tuple(map(_written, values["written"]))
        measured = Measured(**values)
        self.scores = thinned([*self.scores, measured._replace(written=())], POINTS)
        self.snapshots = thinned([*self.snapshots, measured], SNAPSHOTS)


def _written(values: dict[str, Any]) -> Written:
    weights = values["weights"]
    source, target, output = (tuple(values[side]) for side in ("source", "target", "output"))
    array = None if weights is None else np.array(weights, dtype=np.float32)
    return Written(source, target, output, array)


def thinned(kept: list[Kept], most: int) -> list[Kept]:
    """Return a list that is not longer than so many: every second one goes, but not the last."""
    return kept if len(kept) <= most else [*kept[:-1:2], kept[-1]]
