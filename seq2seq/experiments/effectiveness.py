"""Encoder-decoders translate: their outputs come near to what a person wrote.

Rule: for the claim if the best model's chrF against the references lies above its chrF against
the references of other sentences, with the 95 % interval of the paired difference; against it if
below.
"""

from __future__ import annotations

import time

import numpy as np

from seq2seq.evaluation.sentence_metrics import chrf
from seq2seq.experiments.references import Reference, references, score
from seq2seq.experiments.result import (
    Axes,
    Load,
    OnPart,
    Result,
    by_sign,
    counter,
    interval,
    mean_curve,
)

MODELS = (
    "rnn-vanilla-en-fr",
    "lstm-vanilla-en-fr",
    "lstm-attention-en-fr",
    "bilstm-attention-en-fr",
    "transformer-en-fr",
)


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    models: tuple[str, ...] = MODELS,
    pairs: tuple[Reference, ...] = (),
) -> Result:
    """Translate our references with each model; value: mean chrF of the best one."""
    started, pairs = time.perf_counter(), pairs or references()
    count = counter(on_part, len(models) * len(pairs))
    scores, chances, outputs = {}, {}, {}
    for name in models:
        scored = score(load(name), pairs, count)
        others = [scored[place - 1].reference.target for place in range(len(scored))]
        scores[name] = [each.chrf for each in scored]
        chances[name] = [chrf(each.output, o) for each, o in zip(scored, others, strict=True)]
        outputs[name] = [each.output for each in scored]
    best = max(models, key=lambda name: float(np.mean(scores[name])))
    low, high = interval(np.subtract(scores[best], chances[best]).tolist(), seed)
    ends, value = interval(scores[best], seed), float(np.mean(scores[best]))
    places = range(1, len(models) + 1)
    return Result(
        by_sign(low, high),
        value,
        "chrF",
        f"{best} reaches {value:.1f} chrF (95 %: {ends[0]:.1f} to {ends[1]:.1f}) against what a "
        f"person wrote, and {np.mean(chances[best]):.1f} against translations of other sentences.",
        (
            mean_curve("against the reference", _by_place(places, scores), seed),
            mean_curve("against another sentence's", _by_place(places, chances), seed),
        ),
        Axes("model", "chrF", models),
        f"{len(pairs)} sentences, {len(models)} models",
        seed,
        time.perf_counter() - started,
        {
            "source": [pair.source for pair in pairs],
            "reference": [pair.target for pair in pairs],
            best: outputs[best],
            "chrF": [round(each, 1) for each in scores[best]],
        },
    )


def _by_place(places: range, values: dict[str, list[float]]) -> dict[float, list[float]]:
    return dict(zip(map(float, places), values.values(), strict=True))
