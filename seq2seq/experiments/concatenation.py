"""What becomes of sentences when a model reads several of them at once.

A live look at the bottleneck (Cho et al. 2014, On the properties of neural machine translation):
the model's own outputs for each sentence alone are what its output for all of them is held
against, so no reference is needed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from seq2seq.checkpoint import Checkpoint
from seq2seq.errors import UserError
from seq2seq.evaluation.results import Curve
from seq2seq.evaluation.sentence_metrics import chrf
from seq2seq.inference.generated import to_text
from seq2seq.inference.generation import find

COUNTS = (2, 3, 4, 5, 6)  # sentences that are joined


class Concatenation(NamedTuple):
    """Sentences read at once, so many. alone: what was written for each by itself, joined as well.

    chrf: of the output against that, 0-100 (Popović 2015). chance: the same against what was
    written for other sentences, as many: what an output gets for being in the language.
    """

    sentences: int
    source: str
    output: str
    alone: str
    chrf: float
    chance: float


def decode_joined(
    checkpoint: Checkpoint,
    sentences: Sequence[str],
    counts: Sequence[int] = COUNTS,
    groups: int = 20,
    seed: int = 0,
    on_input: Callable[[int, int], object] | None = None,
) -> tuple[Concatenation, ...]:
    """Decode each sentence, and groups of them drawn at random, with the checkpoint's own search.

    groups: how many of each count, at least 2. on_input is called with the number of inputs that
    are done, and of all. Raises UserError if there are fewer sentences than a group takes.
    """
    sentences = different(sentences, max(counts))
    draw = random.Random(seed)
    drawn = [draw.sample(sentences, count) for count in counts for _ in range(groups)]
    inputs = [*sentences, *(" ".join(group) for group in drawn)]
    outputs = []
    for number, text in enumerate(inputs, start=1):
        outputs.append(to_text(checkpoint, find(checkpoint, text), text))
        if on_input is not None:
            on_input(number, len(inputs))
    alone = dict(zip(sentences, outputs, strict=False))
    expected = [" ".join(alone[sentence] for sentence in group) for group in drawn]
    joined = []
    for place, (group, output) in enumerate(zip(drawn, outputs[len(sentences) :], strict=True)):
        first = place - place % groups
        other = expected[first + (place + 1 - first) % groups]
        scores = chrf(output, expected[place]), chrf(output, other)
        joined.append(Concatenation(len(group), " ".join(group), output, expected[place], *scores))
    return tuple(joined)


def different(sentences: Sequence[str], least: int = max(COUNTS)) -> list[str]:
    """Return each sentence once. Raises UserError if there are fewer than `least`."""
    found = list(dict.fromkeys(sentences))
    if len(found) < least:
        raise UserError(
            f"There are {len(found)} different sentences: give at least {least}, each on a line of "
            "its own."
        )
    return found


def joined_curve(name: str, found: Sequence[Concatenation], value: str = "chrf") -> Curve:
    """Return the mean by the number of sentences; value: `chrf` or `chance`."""
    by_count: dict[int, list[float]] = {}
    for each in found:
        by_count.setdefault(each.sentences, []).append(getattr(each, value))
    return Curve(
        name,
        tuple(by_count),
        tuple(sum(values) / len(values) for values in by_count.values()),
        notes=tuple(f"mean of {len(values)} inputs" for values in by_count.values()),
    )
