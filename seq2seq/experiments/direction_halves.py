"""What each direction of an encoder is worth: one half of every state is replaced by zeros.

Rule: for the claim that the backward half is used if the model has less chrF without it, by the
paired 95 % interval; against it if it has more.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.search import SearchResult
from seq2seq.errors import UserError
from seq2seq.evaluation.sentence_metrics import chrf
from seq2seq.experiments.references import (
    GREEDY,
    LENGTH_NAMES,
    Reference,
    by_length,
    references,
    translate,
)
from seq2seq.experiments.result import (
    Axes,
    Load,
    OnPart,
    Result,
    by_sign,
    counter,
    interval,
    title_of,
)
from seq2seq.inference.generation import decode_memory
from seq2seq.models.protocol import Memory

# Which half of each state stays, by what is left: of so much width, from where to where.
HALVES: dict[str, tuple[float, float]] = {
    "both halves": (0.0, 1.0),
    "forward half only": (0.0, 0.5),
    "backward half only": (0.5, 1.0),
}


def run(
    load: Load, on_part: OnPart, seed: int, model: str, pairs: tuple[Reference, ...] = ()
) -> Result:
    """Translate references with each half alone; value: chrF lost without the backward one.

    Raises UserError for a model that reads in one direction.
    """
    started, checkpoint, pairs = time.perf_counter(), load(model), pairs or references()
    if checkpoint.model.config.directions == 1:
        raise UserError(
            f"{title_of(checkpoint)} reads in one direction: choose a bidirectional model."
        )
    count = counter(on_part, len(HALVES) * len(pairs))
    scores: dict[str, list[float]] = {}
    for name, kept in HALVES.items():

        def decode(memory: Memory, kept: tuple[float, float] = kept) -> list[SearchResult]:
            return decode_memory(checkpoint, halved(checkpoint, memory, kept), GREEDY)

        texts = translate(checkpoint, pairs, decode, count)
        scores[name] = [chrf(text, pair.target) for text, pair in zip(texts, pairs, strict=True)]
    means = {name: float(np.mean(values)) for name, values in scores.items()}
    lost = np.subtract(scores["both halves"], scores["forward half only"])
    low, high = interval(lost.tolist(), seed)
    return Result(
        by_sign(low, high),
        float(lost.mean()),
        "chrF lost",
        f"{title_of(checkpoint)} has {means['both halves']:.1f} chrF with both halves of its "
        f"states, {means['forward half only']:.1f} with zeros for the backward half (loss, 95 %: "
        f"{low:.1f} to {high:.1f}) and {means['backward half only']:.1f} with zeros for the "
        "forward one.",
        tuple(by_length(name, pairs, values, seed) for name, values in scores.items()),
        Axes("words of the source", "chrF", LENGTH_NAMES),
        f"{len(pairs)} sentences, greedy search, {len(HALVES)} times each",
        seed,
        time.perf_counter() - started,
        {
            "source": [pair.source for pair in pairs],
            **{name: [round(each, 1) for each in values] for name, values in scores.items()},
        },
        ends=(low, high),
    )


def halved(checkpoint: Checkpoint, memory: Memory, kept: tuple[float, float]) -> Memory:
    """Return a memory with zeros for all of each state's width but what is kept."""

    def part(states: torch.Tensor) -> torch.Tensor:
        width = states.shape[-1]
        start, end = (round(share * width) for share in kept)
        hidden = torch.zeros_like(states)
        hidden[..., start:end] = states[..., start:end]
        return hidden

    changed = memory._replace(
        states=part(memory.states), final=tuple(part(each) for each in memory.final)
    )
    return changed._replace(keys=checkpoint.model.decoder.prepare(changed))
