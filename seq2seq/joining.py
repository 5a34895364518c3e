"""What becomes of sentences when a model reads several of them at once.

A live look at the bottleneck (Cho et al. 2014, On the properties of neural machine translation):
the model's own outputs for each sentence alone are what its output for all of them is held
against, so no reference is needed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from seq2seq.checkpoint import Checkpoint
from seq2seq.errors import UserError
from seq2seq.measurements import Curve
from seq2seq.pipeline import generate, to_text

COUNTS = (2, 3, 4, 5, 6)  # sentences that are joined
RESAMPLED = 1_000  # times that groups are drawn anew for an interval


class Joined(NamedTuple):
    """Sentences read at once, so many. alone: what was written for each by itself, joined as well.

    chrf: of the output against that, 0-100 (Popović 2015).
    """

    sentences: int
    source: str
    output: str
    alone: str
    chrf: float


def decode_joined(
    checkpoint: Checkpoint,
    sentences: Sequence[str],
    counts: Sequence[int] = COUNTS,
    groups: int = 20,
    seed: int = 0,
    on_group: Callable[[int, int], object] | None = None,
) -> tuple[Joined, ...]:
    """Decode each sentence, and groups of them drawn at random, with the checkpoint's own search.

    groups: how many of each count. on_group is called with the number of inputs that are done, and
    of all. Raises UserError if there are fewer sentences than the largest group takes.
    """
    sentences = list(dict.fromkeys(sentences))
    if len(sentences) < max(counts):
        raise UserError(
            f"There are {len(sentences)} different sentences: give at least {max(counts)}, each on "
            "a line of its own."
        )
    draw = random.Random(seed)
    drawn = [draw.sample(sentences, count) for count in counts for _ in range(groups)]
    inputs = [*sentences, *(" ".join(group) for group in drawn)]
    done = 0

    def on_some(count: int) -> None:
        nonlocal done
        done += count
        if on_group is not None:
            on_group(done, len(inputs))

    found = generate(checkpoint, inputs, on_group=on_some)
    outputs = [to_text(checkpoint, *each) for each in zip(found, inputs, strict=True)]
    alone = dict(zip(sentences, outputs, strict=False))
    joined = []
    for group, output in zip(drawn, outputs[len(sentences) :], strict=True):
        expected = " ".join(alone[sentence] for sentence in group)
        score = _chrf(output, expected)
        joined.append(Joined(len(group), " ".join(group), output, expected, score))
    return tuple(joined)


def _chrf(output: str, expected: str) -> float:
    from sacrebleu.metrics import CHRF

    return CHRF().sentence_score(output, [expected]).score


def joined_curve(name: str, found: Sequence[Joined], seed: int = 0) -> Curve:
    """Return the mean chrF by the number of sentences, with its bootstrap interval."""
    draw = np.random.default_rng(seed)
    counts = sorted({each.sentences for each in found})
    means, ends = [], []
    for count in counts:
        scores = np.array([each.chrf for each in found if each.sentences == count])
        means.append(float(scores.mean()))
        again = draw.choice(scores, (RESAMPLED, len(scores))).mean(axis=1)
        ends.append(np.percentile(again, [2.5, 97.5]).tolist())
    return Curve(
        name,
        tuple(counts),
        tuple(means),
        tuple(low for low, _ in ends),
        tuple(high for _, high in ends),
        tuple(f"{sum(each.sentences == count for each in found)} groups" for count in counts),
    )
