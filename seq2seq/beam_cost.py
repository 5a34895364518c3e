"""What a wider beam costs in time, and what it finds for that."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.options import Options
from seq2seq.pipeline import decode_memory, to_text
from seq2seq.search import OnStep
from seq2seq.source import prepare

WIDTHS = (1, 2, 4, 6, 8, 10)
TIMES = 3  # that each search is made; the fastest counts, which other programs disturbed least


class BeamCost(NamedTuple):
    """One search. milliseconds: without the encoder; log_probability: of the output, in nats."""

    width: int
    milliseconds: float
    log_probability: float
    text: str


@torch.inference_mode()
def beam_costs(
    checkpoint: Checkpoint,
    text: str,
    options: Options | None = None,
    widths: Sequence[int] = WIDTHS,
    on_step: OnStep | None = None,
) -> tuple[BeamCost, ...]:
    """Search the output for a text with beams of several widths, 1 being greedy.

    on_step is called after every decoder step. Raises UserError for a text that cannot be read.
    """
    options = options or checkpoint.conventions.options
    source = prepare(checkpoint, text, options)
    memory = checkpoint.searcher.encode(source.batch(checkpoint.device))
    decode_memory(checkpoint, memory, replace(options, method="greedy"), on_step=on_step)  # warm
    found = []
    for width in widths:
        searched = replace(options, method="beam" if width > 1 else "greedy", beam_width=width)
        taken = []
        for _ in range(TIMES):
            started = time.perf_counter()
            (outputs,) = decode_memory(checkpoint, memory, searched, on_step=on_step)
            taken.append(time.perf_counter() - started)
        best = outputs.hypotheses[0]
        found.append(
            BeamCost(
                width,
                1000 * min(taken),
                sum(best.log_probabilities),
                to_text(checkpoint, outputs, text),
            )
        )
    return tuple(found)
