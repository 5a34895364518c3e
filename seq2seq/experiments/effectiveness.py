"""Encoder-decoders translate, summarize and converse: their outputs, held against ours.

Translation. Rule: for the claim if the best model's chrF against the references lies above its
chrF against the references of other sentences, with the 95 % interval of the paired difference;
against it if below. Beside it, summaries (summaries.py) and replies (replies.py), each with a rule
of its own.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from seq2seq.evaluation.evaluate import translation_scores
from seq2seq.evaluation.results import Curve
from seq2seq.evaluation.sentence_metrics import chrf
from seq2seq.experiments import replies, summaries
from seq2seq.experiments.references import Reference, Scored, references, score
from seq2seq.experiments.result import (
    Axes,
    Case,
    Load,
    OnPart,
    Result,
    by_sign,
    interval,
    mean_curve,
    titles_of,
)

MODELS = (
    "lstm-vanilla-en-fr",
    "lstm-attention-en-fr",
    "transformer-en-fr",
    "bilstm-attention-en-fr",
)


class _Model(NamedTuple):
    """scores, chances: chrF of each output, against its reference and that of another sentence.

    bleu: of all outputs together, and the ends of its interval.
    """

    name: str
    title: str
    found: list[Scored]
    scores: list[float]
    chances: list[float]
    bleu: tuple[float, float, float]


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    models: tuple[str, ...] = MODELS,
    pairs: tuple[Reference, ...] = (),
    summarizer: str = "summarizer-en",
    chatbot: str = "chatbot-en",
) -> Result:
    """Translate our references with each model; value: mean chrF of the best one."""
    pairs = pairs or references()
    done, total = 0, len(models) * len(pairs) + summaries.COUNT + replies.COUNT

    def count(more: int) -> None:
        nonlocal done
        done += more
        on_part(done, total)

    started, titles = time.perf_counter(), titles_of(load, models)
    found = [_model(name, titles[name], score(load(name), pairs, count)) for name in models]
    translated = _result(found, pairs, seed)
    also = (
        summaries.run(load, count, seed, summarizer),
        replies.run(load, count, seed, chatbot),
    )
    return replace(translated, also=also, seconds=time.perf_counter() - started)


def _model(name: str, title: str, found: list[Scored]) -> _Model:
    outputs, targets = [each.output for each in found], [each.reference.target for each in found]
    others = [*targets[-1:], *targets[:-1]]
    scores = translation_scores(outputs, [[target] for target in targets], ())
    return _Model(
        name,
        title,
        found,
        [each.chrf for each in found],
        [chrf(output, other) for output, other in zip(outputs, others, strict=True)],
        (scores["bleu"], *scores["bleu_interval"]),
    )


def _result(found: list[_Model], pairs: tuple[Reference, ...], seed: int) -> Result:
    best = max(found, key=lambda each: float(np.mean(each.scores)))
    low, high = interval(np.subtract(best.scores, best.chances).tolist(), seed)
    ends, value = interval(best.scores, seed), float(np.mean(best.scores))
    bleu, bleu_low, bleu_high = best.bleu
    return Result(
        by_sign(low, high),
        value,
        "chrF",
        f"{best.title} reaches {value:.1f} chrF (95 %: {ends[0]:.1f} to {ends[1]:.1f}) against "
        f"what a person wrote, and {np.mean(best.chances):.1f} against translations of other "
        f"sentences; its BLEU is {bleu:.1f} ({bleu_low:.1f} to {bleu_high:.1f}).",
        _curves(found, seed),
        Axes("model", "chrF, BLEU", tuple(each.title for each in found), ordered=False),
        f"{len(pairs)} sentences, {len(found)} models",
        seed,
        0.0,
        _table(found, pairs),
        ends=ends,
        cases=tuple(
            _case(place, each, one) for place, each in _placed(found) for one in each.found
        ),
    )


def _placed(found: list[_Model]) -> list[tuple[float, _Model]]:
    return [(place + 1.0, each) for place, each in enumerate(found)]


def _case(place: float, model: _Model, one: Scored) -> Case:
    source, target, _ = one.reference
    return Case(place, source, target, one.output, one.chrf, (model.name,))


def _curves(found: list[_Model], seed: int) -> tuple[Curve, ...]:
    placed = _placed(found)
    points, lows, highs = zip(*(each.bleu for each in found), strict=True)
    return (
        mean_curve("chrF against the reference", {at: each.scores for at, each in placed}, seed),
        Curve("BLEU against the references", tuple(at for at, _ in placed), points, lows, highs),
        mean_curve("chrF against another's", {at: each.chances for at, each in placed}, seed),
    )


def _table(found: list[_Model], pairs: tuple[Reference, ...]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "source": [pair.source for pair in pairs],
        "reference": [pair.target for pair in pairs],
    }
    for each in found:
        columns[each.title] = [one.output for one in each.found]
        columns[f"chrF, {each.title}"] = [round(value, 1) for value in each.scores]
    return columns
