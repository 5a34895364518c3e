"""What lies far back fades without attention: gradients of the output by the source's distance.

Bengio et al. 1994; Hochreiter and Schmidhuber 1997. Measured is |gradient times input| of each
output token's log-probability, as a share of its row (analysis/attribution.py), at the third of
the source that lies farthest from where the encoder ends, over every third token of the output.
Rule: for the claim if that share is larger with attention than without, by the paired 95 %
interval; against it if smaller. Beside it, how far a verb can be from its subject (agreement.py).
"""

from __future__ import annotations

import random
import time

import numpy as np

from seq2seq.analysis.attribution import gradient_shares
from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.options import Options
from seq2seq.experiments import agreement
from seq2seq.experiments.references import LENGTHS, references
from seq2seq.experiments.result import (
    Axes,
    Load,
    OnPart,
    Partial,
    Result,
    by_sign,
    interval,
    mean_curve,
    titles_of,
)
from seq2seq.inference.pipeline import run as decode

MODELS = (
    "rnn-vanilla-en-fr",
    "gru-vanilla-en-fr",
    "lstm-vanilla-en-fr",
    "lstm-attention-en-fr",
)
GREEDY = Options(method="greedy")
PARTS = 5  # parts that a source is cut into
EVERY = 3  # of so many tokens of the output the gradient of one is taken


def run(
    load: Load, on_part: OnPart, seed: int = 0, models: tuple[str, ...] = MODELS, sentences: int = 6
) -> Result:
    """Measure the longest references; value: percent of the effect from the first third, without.

    The model before the last one counts as the one without attention, the last as the one with it.
    """
    started, rows = time.perf_counter(), dict[str, list[np.ndarray]]()
    long = [each.source for each in references() if each.group == len(LENGTHS) - 1]
    texts = random.Random(seed).sample(long, sentences)
    titles = titles_of(load, models)
    passes, pairs = len(models) * len(texts), len(models) * len(agreement.WORDS_BETWEEN)
    for number, name in enumerate(models):
        checkpoint, rows[name] = load(name), []
        for place, text in enumerate(texts):
            on_part(number * len(texts) + place, passes + pairs)
            rows[name].append(_shares(checkpoint, text))

    def on_pair(done: int, total: int, partial: Partial | None = None, /) -> object:
        return on_part(passes + done, passes + pairs, partial)

    far = agreement.run(load, on_pair, seed, models)
    first = {
        name: [100 * float(share[: len(share) // 3].sum()) for share in each]
        for name, each in rows.items()
    }
    plain, attending = models[-2], models[-1]
    low, high = interval(np.subtract(first[attending], first[plain]).tolist(), seed)
    means = {name: float(np.mean(values)) for name, values in first.items()}
    return Result(
        by_sign(low, high),
        means[plain],
        "% of the effect",
        f"The first third of a sentence has {means[plain]:.0f} % of the effect on what "
        f"{titles[plain]} writes and {means[attending]:.0f} % with {titles[attending]} "
        f"(difference, 95 %: {low:+.0f} to {high:+.0f}); an even share would be 33 %.",
        tuple(mean_curve(titles[name], _by_part(each), seed) for name, each in rows.items()),
        Axes("place in the sentence", "% of the effect", ("first", "", "middle", "", "last")),
        f"{len(texts)} sentences, {len(models)} models",
        seed,
        time.perf_counter() - started,
        {
            "sentence": texts,
            **{
                titles[name]: [round(share, 1) for share in shares]
                for name, shares in first.items()
            },
        },
        (far,),
        interval(first[plain], seed),
    )


def _shares(checkpoint: Checkpoint, text: str) -> np.ndarray:
    """Return each source word's share of the effect on the whole output: (words,), summing to 1."""
    shares = gradient_shares(checkpoint, decode(checkpoint, text, GREEDY), EVERY).mean(axis=0)
    return shares / shares.sum()


def _by_part(rows: list[np.ndarray]) -> dict[float, list[float]]:
    """Return the percent of each fifth of the sources, by its number from 1."""
    found: dict[float, list[float]] = {float(part): [] for part in range(1, PARTS + 1)}
    for shares in rows:
        for part, each in enumerate(np.array_split(shares, PARTS), start=1):
            found[float(part)].append(100 * float(each.sum()))
    return found
