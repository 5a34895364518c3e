"""Models need many pairs: numbers in words are learnt from ever more examples, for equally long.

Rule: for the claim if the share of new numbers read right from the most pairs lies above that from
the fewest, the 95 % intervals being apart; against it if below; undecided otherwise.
"""

from __future__ import annotations

import time

import numpy as np

from seq2seq.data.tasks import number_reading
from seq2seq.evaluation.exact_match import outputs
from seq2seq.experiments.live_training import Settings, share_of, small_gru, train
from seq2seq.experiments.result import (
    AGAINST,
    FOR,
    UNDECIDED,
    Axes,
    Load,
    OnPart,
    Result,
    interval,
    mean_curve,
)

PAIRS = (50, 100, 200, 500, 2_000)
HELD_OUT = 200


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    seconds: float = 6.0,
    pairs: tuple[int, ...] = PAIRS,
) -> Result:
    """Train on so many pairs, each for so long; value: percent read right from the fewest."""
    started, right = time.perf_counter(), dict[float, list[float]]()
    task = number_reading(max(pairs), HELD_OUT, seed=seed)
    sources = [pair.source for pair in task.valid]
    written: list[list[int]] = []
    settings = Settings(seconds, seconds / 4, 0.005, seed=seed)
    for place, count in enumerate(pairs):
        model = small_gru(task, seed, width=64, dropout=0.1)
        on_moment = share_of(settings, on_part, place, len(pairs))
        train(model, task.train[:count], task.valid, settings, on_moment)
        written = outputs(model, sources, 8)
        same = (ids == pair.target for ids, pair in zip(written, task.valid, strict=True))
        right[float(count)] = [100.0 * each for each in same]
    fewest, most = right[float(pairs[0])], right[float(pairs[-1])]
    ends = interval(fewest, seed), interval(most, seed)
    apart = FOR if ends[1][0] > ends[0][1] else AGAINST if ends[1][1] < ends[0][0] else UNDECIDED
    return Result(
        apart,
        float(np.mean(fewest)),
        "% read right",
        f"After {seconds:g} s of training, {np.mean(fewest):.0f} % of new numbers are read right "
        f"from {pairs[0]:,} pairs (95 %: {ends[0][0]:.0f} to {ends[0][1]:.0f}) and "
        f"{np.mean(most):.0f} % from {pairs[-1]:,} ({ends[1][0]:.0f} to {ends[1][1]:.0f}).",
        (mean_curve("GRU with attention", right, seed),),
        Axes("pairs learnt from", "% of new numbers read right", logarithmic=True),
        f"{HELD_OUT} new numbers, {len(pairs)} trainings",
        seed,
        time.perf_counter() - started,
        {
            "words": [task.text(source) for source in sources[:30]],
            f"written after {pairs[-1]:,} pairs": [task.text(ids) for ids in written[:30]],
        },
    )
