"""One fixed vector loses details: random strings through small models, trained while you wait.

Cho et al. 2014, On the properties of neural machine translation. Rule: for the claim if, on the
longest strings, the model with attention gets more tokens right than one of the same size and
training without it, by the paired 95 % interval; against it if fewer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from seq2seq.data.batching import Example
from seq2seq.data.tasks import Task, copying
from seq2seq.evaluation.exact_match import outputs, tokens_right
from seq2seq.evaluation.results import Curve
from seq2seq.experiments.live_training import Settings, share_of, small_gru, train
from seq2seq.experiments.result import Axes, Load, OnPart, Result, by_sign, interval, mean_curve
from seq2seq.models.seq2seq import Seq2Seq

LENGTHS = range(2, 13)
LONG = 10  # symbols, from which on a string counts as long


def run(
    load: Load, on_part: OnPart, seed: int = 0, seconds: float = 8.0, width: int = 64
) -> Result:
    """Train two models of a width, each for so long; value: % right of long strings without."""
    started, task = time.perf_counter(), copying(20_000, 330, LENGTHS, seed=seed)
    names = ("without attention", "with attention")
    right, settings = {}, Settings(seconds, 0.5, 0.01, seed=seed)
    for place, attention in enumerate(("none", "dot")):
        model = small_gru(task, seed, width=width, bidirectional=True, attention=attention)
        train(model, task.train, task.valid, settings, share_of(settings, on_part, place, 2))
        right[names[place]] = _right(task, model)
    long = np.array([len(pair.source) >= LONG for pair in task.valid])
    means = {name: float(np.mean(np.array(values)[long])) for name, values in right.items()}
    differences = np.subtract(right[names[1]], right[names[0]])[long]
    low, high = interval(differences.tolist(), seed)
    return Result(
        by_sign(low, high),
        means[names[0]],
        "% of long strings' tokens right",
        f"Of strings of {LONG} to {max(LENGTHS)} symbols, {means[names[0]]:.0f} % of the tokens "
        f"came through one vector of {width} numbers; with attention {means[names[1]]:.0f} % "
        f"(difference, 95 %: {low:+.0f} to {high:+.0f}).",
        tuple(_curve(name, task.valid, values, seed) for name, values in right.items()),
        Axes("symbols in the string", "% of tokens right"),
        f"{len(task.valid)} new strings, {seconds:g} s of training each",
        seed,
        time.perf_counter() - started,
        {
            "string": [task.text(pair.source) for pair in task.valid],
            **{name: [round(value) for value in values] for name, values in right.items()},
        },
    )


def _right(task: Task, model: Seq2Seq) -> list[float]:
    """Return how many percent of each held-out string's tokens come out at their place."""
    written = outputs(model, [pair.source for pair in task.valid], max(LENGTHS) + 2)
    return [
        100 * tokens_right(ids, pair.target) for ids, pair in zip(written, task.valid, strict=True)
    ]


def _curve(name: str, pairs: Sequence[Example], values: Sequence[float], seed: int) -> Curve:
    by_length: dict[float, list[float]] = {float(length): [] for length in LENGTHS}
    for pair, value in zip(pairs, values, strict=True):
        by_length[float(len(pair.source))].append(value)
    return mean_curve(name, {length: each for length, each in by_length.items() if each}, seed)
