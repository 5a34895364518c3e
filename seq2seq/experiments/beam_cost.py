"""What a wider beam costs in time, and what it finds for that."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.options import Options
from seq2seq.inference.generated import to_text
from seq2seq.inference.generation import find
from seq2seq.inference.teacher_forcing import force

WIDTHS = (1, 2, 4, 6, 8, 10)
TIMES = 3  # that each output is made; the fastest counts, which other programs disturbed least


class BeamCost(NamedTuple):
    """milliseconds: of encoder and search. log_probability: of the output, in nats."""

    width: int
    milliseconds: float
    log_probability: float
    text: str


def beam_costs(
    checkpoint: Checkpoint,
    text: str,
    options: Options | None = None,
    widths: Sequence[int] = WIDTHS,
    on_search: Callable[[int, int], object] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[BeamCost, ...]:
    """Decode a text with beams of several widths, 1 being greedy.

    on_search is called between searches, with the number of those done, and of all: nothing else
    runs while one is timed. clock: returns seconds. Raises UserError for a text that cannot be
    read.
    """
    options = options or checkpoint.generation_config.options
    find(checkpoint, text, replace(options, method="greedy"))  # nothing is cold now
    found: list[BeamCost] = []
    for number, width in enumerate(widths):
        searched = replace(options, method="beam" if width > 1 else "greedy", beam_width=width)
        taken = []
        for time_ in range(TIMES):
            if on_search is not None:
                on_search(number * TIMES + time_, len(widths) * TIMES)
            started = clock()
            outputs = find(checkpoint, text, searched)
            taken.append(1000 * (clock() - started))
        told = force(checkpoint, text, outputs.hypotheses[0].tokens, options).log_probabilities
        said = to_text(checkpoint, outputs, text)
        found.append(BeamCost(width, min(taken), float(told.sum()), said))
    return tuple(found)
