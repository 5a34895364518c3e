"""Beam search is slow: each token waits for the one before, and a wider beam has more to score.

Rule: for the claim if the widest beam takes at least 1.5 times as long as greedy search, and the
search takes longer than reading the same output in one teacher-forced pass; against it otherwise.
Times are the processor's own. Beside it, what the wait brings: some of our references by beam
width. Rule: for the claim that it brings something if the widest beam has more chrF than greedy
search, by the paired 95 % interval; against it if less.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import numpy as np

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.options import MAX_CHARACTERS
from seq2seq.errors import UserError
from seq2seq.evaluation.results import Curve
from seq2seq.evaluation.sentence_metrics import chrf
from seq2seq.experiments.beam_cost import WIDTHS, beam_costs
from seq2seq.experiments.clock import seconds_of
from seq2seq.experiments.references import Reference, references, some
from seq2seq.experiments.result import (
    AGAINST,
    FOR,
    Axes,
    Load,
    OnPart,
    Result,
    by_sign,
    interval,
    mean_curve,
    title_of,
)
from seq2seq.inference.generation import generate
from seq2seq.inference.teacher_forcing import force

TEXT = (
    "Although the weather was cold, my sister walked to the station, bought a ticket for the last "
    "train, and waited for more than an hour."
)
SLOWER = 1.5
SCORED = 40  # references
SCORED_WIDTHS = (1, 2, 5, 10)


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    model: str = "transformer-en-fr",
    text: str = TEXT,
    widths: tuple[int, ...] = WIDTHS,
    pairs: tuple[Reference, ...] = (),
) -> Result:
    """Decode with beams of several widths; value: how many times as long the widest takes.

    Raises UserError for a text that is empty or too long.
    """
    started, checkpoint = time.perf_counter(), load(model)
    if not 0 < len(text.strip()) <= MAX_CHARACTERS:
        raise UserError(f"There is nothing to decode: type 1 to {MAX_CHARACTERS:,} characters.")
    clock = partial(seconds_of, checkpoint)
    costs = beam_costs(checkpoint, text, widths=widths, on_search=on_part, clock=clock)
    begun = clock()
    trace = force(checkpoint, text, costs[0].text)
    forced = 1000 * (clock() - begun)
    times = tuple(cost.milliseconds for cost in costs)
    tokens = len(trace.target)
    ratio = times[-1] / times[0]
    gained = costs[-1].log_probability - costs[0].log_probability
    return Result(
        FOR if ratio >= SLOWER and times[-1] > forced else AGAINST,
        ratio,
        "times as long",
        f"Greedy search of {title_of(checkpoint)} took {times[0]:.0f} ms, "
        f"{times[0] / tokens:.1f} ms a token, a beam of {widths[-1]} {times[-1]:.0f} ms: "
        f"{ratio:.1f} times as long, for {gained:+.2f} in log-probability. Reading the same "
        f"{tokens} tokens in one teacher-forced pass, with everything recorded, took "
        f"{forced:.0f} ms.",
        (Curve(title_of(checkpoint), tuple(map(float, widths)), times),),
        Axes("beam width", "milliseconds"),
        f"{len(widths)} widths, the fastest of three searches each",
        seed,
        time.perf_counter() - started,
        {
            "beam width": widths,
            "milliseconds": [round(each, 1) for each in times],
            "milliseconds a token": [round(each / tokens, 1) for each in times],
            "log P": [round(cost.log_probability, 2) for cost in costs],
            "output": [cost.text for cost in costs],
        },
        (_quality(checkpoint, pairs or some(references(), SCORED, seed), seed),),
    )


def _quality(checkpoint: Checkpoint, pairs: tuple[Reference, ...], seed: int) -> Result:
    """Return what a wider beam gains in chrF."""
    started, scores = time.perf_counter(), dict[float, list[float]]()
    usual = checkpoint.generation_config.options
    for width in SCORED_WIDTHS:
        method = "beam" if width > 1 else "greedy"
        options = replace(usual, method=method, beam_width=width)
        outputs = generate(checkpoint, [pair.source for pair in pairs], options, batch=8)
        scores[float(width)] = [
            chrf(output.text, pair.target) for output, pair in zip(outputs, pairs, strict=True)
        ]
    narrow, wide = (scores[float(width)] for width in (SCORED_WIDTHS[0], SCORED_WIDTHS[-1]))
    gains = np.subtract(wide, narrow).tolist()
    low, high = interval(gains, seed)
    return Result(
        by_sign(low, high),
        float(np.mean(gains)),
        "chrF gained",
        f"On {len(pairs)} sentences, a beam of {SCORED_WIDTHS[-1]} has {np.mean(gains):+.1f} chrF "
        f"(95 %: {low:+.1f} to {high:+.1f}) against greedy search.",
        (mean_curve(title_of(checkpoint), scores, seed),),
        Axes("beam width", "chrF"),
        f"{len(pairs)} sentences, {len(SCORED_WIDTHS)} widths",
        seed,
        time.perf_counter() - started,
        {"source": [pair.source for pair in pairs], "gain": [round(each, 1) for each in gains]},
        ends=(low, high),
    )
