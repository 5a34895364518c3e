"""Beam search is slow: each token waits for the one before, and a wider beam has more to score.

Rule: for the claim if the widest beam takes at least 1.5 times as long as greedy search, and the
search takes longer than reading the same output in one teacher-forced pass; against it otherwise.
"""

from __future__ import annotations

import time

from seq2seq.evaluation.results import Curve
from seq2seq.experiments.beam_cost import WIDTHS, beam_costs
from seq2seq.experiments.result import AGAINST, FOR, Axes, Load, OnPart, Result
from seq2seq.inference.teacher_forcing import force

TEXT = (
    "Although the weather was cold, my sister walked to the station, bought a ticket for the last "
    "train, and waited for more than an hour."
)
SLOWER = 1.5


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    model: str = "transformer-en-fr",
    text: str = TEXT,
    widths: tuple[int, ...] = WIDTHS,
) -> Result:
    """Decode with beams of several widths; value: how many times as long the widest takes."""
    started, checkpoint = time.perf_counter(), load(model)
    costs = beam_costs(checkpoint, text, widths=widths, on_search=on_part)
    begun = time.perf_counter()
    trace = force(checkpoint, text, costs[0].text)
    forced = 1000 * (time.perf_counter() - begun)
    times = tuple(cost.milliseconds for cost in costs)
    ratio = times[-1] / times[0]
    gained = costs[-1].log_probability - costs[0].log_probability
    return Result(
        FOR if ratio >= SLOWER and times[-1] > forced else AGAINST,
        ratio,
        "times as long",
        f"Greedy search took {times[0]:.0f} ms, a beam of {widths[-1]} {times[-1]:.0f} ms: "
        f"{ratio:.1f} times as long, for {gained:+.2f} in log-probability. Reading the same "
        f"{len(trace.target)} tokens in one teacher-forced pass, with everything recorded, took "
        f"{forced:.0f} ms.",
        (Curve(model, tuple(map(float, widths)), times),),
        Axes("beam width", "milliseconds"),
        f"{len(widths)} widths, the fastest of three searches each",
        seed,
        time.perf_counter() - started,
        {
            "beam width": widths,
            "milliseconds": [round(each, 1) for each in times],
            "log P": [round(cost.log_probability, 2) for cost in costs],
            "output": [cost.text for cost in costs],
        },
    )
