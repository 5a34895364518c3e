"""Exposure bias: a decoder that was trained on right prefixes only, after a mistake of its own.

Ranzato et al. 2016, section 1. A reference is read under teacher forcing, once as it is and once
with one token replaced by the wrong one that the model itself holds most probable there. Rule: for
the claim if, over the next tokens, fewer of the reference's are its first choice after the mistake
than without it, by the paired 95 % interval over sentences; against it if more.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from seq2seq.checkpoint import Checkpoint
from seq2seq.experiments.references import Reference, references
from seq2seq.experiments.result import (
    Axes,
    Load,
    OnPart,
    Result,
    by_sign,
    interval,
    mean_curve,
    title_of,
)
from seq2seq.inference.inputs import clean_target
from seq2seq.inference.teacher_forcing import force
from seq2seq.trace import Trace, shown

AFTER = 5  # tokens that are looked at after a mistake


class Mistake(NamedTuple):
    """right, wrong: whether each token after it is the first choice, without it and with it."""

    reference: Reference
    token: str
    instead: str
    right: np.ndarray
    wrong: np.ndarray


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    model: str = "bilstm-attention-en-fr",
    pairs: tuple[Reference, ...] = (),
) -> Result:
    """Read references with a mistake each; value: how many percent more tokens are missed."""
    started, checkpoint, draw = time.perf_counter(), load(model), np.random.default_rng(seed)
    given = pairs or tuple(each for each in references() if each.group > 0)
    found = []
    for place, each in enumerate(given):
        on_part(place, len(given))
        found += _mistake(checkpoint, each, draw)
    lost = [100 * float(each.right.mean() - each.wrong.mean()) for each in found]
    low, high = interval(lost, seed)
    means = [100 * float(np.mean([side(each).mean() for each in found])) for side in SIDES.values()]
    return Result(
        by_sign(low, high),
        float(np.mean(lost)),
        "points fewer first choices",
        f"Of the {AFTER} tokens after a right prefix, {means[0]:.0f} % were the first choice of "
        f"{title_of(checkpoint)}; after one mistake of its own, {means[1]:.0f} % (difference, "
        f"95 %: {low:.0f} to {high:.0f} points).",
        tuple(mean_curve(name, _by_distance(found, name), seed) for name in SIDES),
        Axes("tokens after the mistake", "% first choices"),
        f"{len(found)} sentences, one mistake each",
        seed,
        time.perf_counter() - started,
        {
            "source": [each.reference.source for each in found],
            "reference": [each.reference.target for each in found],
            "token": [each.token for each in found],
            "replaced by": [each.instead for each in found],
            "fewer first choices": [round(each) for each in lost],
        },
    )


SIDES = {
    "after the reference": lambda each: each.right,
    "after one mistake": lambda each: each.wrong,
}


def _mistake(checkpoint: Checkpoint, pair: Reference, draw: np.random.Generator) -> list[Mistake]:
    """Return what follows a mistake at a random place, [] where the reference is too short."""
    right = checkpoint.tokenizer.encode_target(clean_target(checkpoint, pair.target))
    reference = force(checkpoint, pair.source, [*right, checkpoint.model.config.eos])
    last = len(reference.target) - AFTER - 1
    if last < 0:
        return []
    place = int(draw.integers(last + 1))
    token = reference.target.ids[place]
    instead = _most_probable_wrong(checkpoint, reference, place)
    tokens = [*reference.target.ids[:place], instead, *reference.target.ids[place + 1 :]]
    changed = force(checkpoint, pair.source, tokens)
    after = slice(place + 1, place + 1 + AFTER)
    said, instead_said = map(shown, checkpoint.tokenizer.pieces([token, instead]))
    return [
        Mistake(pair, said, instead_said, reference.ranks[after] == 0, changed.ranks[after] == 0)
    ]


def _most_probable_wrong(checkpoint: Checkpoint, reference: Trace, place: int) -> int:
    """Return the most probable token of a step that is neither the right one nor the end."""
    right = reference.target.ids[place], checkpoint.model.config.eos
    ids = reference.alternatives.ids[place].tolist()
    return next(token for token in ids if token not in right)


def _by_distance(found: list[Mistake], name: str) -> dict[float, list[float]]:
    """Return the percent of first choices at each distance from the mistake, from 1."""
    rows = np.array([SIDES[name](each) for each in found], dtype=float)
    return {float(step + 1): (100 * rows[:, step]).tolist() for step in range(AFTER)}
