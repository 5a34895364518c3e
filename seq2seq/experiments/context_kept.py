"""One vector holds what a sentence means: linear probes read it off c = h_T.

Adi et al. 2017; Conneau et al. 2018. Rule: for the claim if for every feature the accuracy of a
linear classifier on the context vector lies above always guessing the most frequent answer, by
the 95 % interval over the sentences; undecided if for some only; against it if for none.
Beside it, the nearest neighbors of each sentence by the cosine of their vectors. Rule: for the
claim if they share more features than sentences drawn at random, by the paired 95 % interval;
against it if fewer.
"""

from __future__ import annotations

import time

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seq2seq.analysis.probe_sentences import FEATURES, Probe, probes
from seq2seq.analysis.sentence_vectors import sentence_vectors
from seq2seq.errors import UserError
from seq2seq.experiments.result import (
    AGAINST,
    FOR,
    UNDECIDED,
    Axes,
    Load,
    OnPart,
    Result,
    by_sign,
    counter,
    interval,
    mean_curve,
    title_of,
)

FOLDS = 5


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    model: str = "lstm-vanilla-en-fr",
    sentences: int = 300,
) -> Result:
    """Fit probes to sentences whose grammar is known; value: mean accuracy in percent.

    Raises UserError for a model whose encoder does not end in one vector.
    """
    started, checkpoint = time.perf_counter(), load(model)
    if not checkpoint.model.config.has_final_state:
        raise UserError(
            f"{title_of(checkpoint)} has no final state h_T: choose a recurrent model, such as "
            "LSTM without attention."
        )
    given = probes(sentences, seed)
    count = counter(on_part, sentences + len(FEATURES))
    texts = [probe.text for probe in given]
    vectors = sentence_vectors(checkpoint, texts, on_group=count)
    words = CountVectorizer().fit_transform(texts)
    right: dict[str, dict[float, list[float]]] = {
        "the context vector": {},
        "a bag of its words": {},
        "guessing": {},
    }
    for place, feature in enumerate(FEATURES, start=1):
        answers = np.array([getattr(probe, feature) for probe in given])
        right["the context vector"][float(place)] = _right(vectors, answers)
        right["a bag of its words"][float(place)] = _right(words, answers)
        right["guessing"][float(place)] = _guessed(answers)
        count(1)
    known = right["the context vector"]
    above = [interval(known[place], seed)[0] > np.mean(right["guessing"][place]) for place in known]
    means = {name: np.mean([np.mean(v) for v in values.values()]) for name, values in right.items()}
    return Result(
        FOR if all(above) else UNDECIDED if any(above) else AGAINST,
        float(means["the context vector"]),
        "% right",
        f"From the {vectors.shape[1]} numbers of c of {title_of(checkpoint)} alone, a linear probe "
        f"tells {sum(above)} of "
        f"{len(above)} features better than guessing: {means['the context vector']:.0f} % right on "
        f"average, where guessing gets {means['guessing']:.0f} % and a bag of the words "
        f"{means['a bag of its words']:.0f} %.",
        tuple(mean_curve(name, values, seed) for name, values in right.items()),
        Axes("what is asked of the vector", "% right", FEATURES, ordered=False),
        f"{len(given)} sentences, {FOLDS} folds",
        seed,
        time.perf_counter() - started,
        {"feature": FEATURES, **_columns(right)},
        (_neighbors(vectors, given, seed),),
        interval([float(np.mean(row)) for row in zip(*known.values(), strict=True)], seed),
    )


def _neighbors(vectors: np.ndarray, given: list[Probe], seed: int) -> Result:
    """Return how many features a sentence shares with its nearest neighbor, and with any other."""
    started = time.perf_counter()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -1)
    nearest = cosines.argmax(axis=1)
    count = len(given)
    others = (np.arange(count) + np.random.default_rng(seed).integers(1, count, count)) % count
    shared = {
        "the nearest": [_shared(given[place], given[at]) for place, at in enumerate(nearest)],
        "drawn at random": [_shared(given[place], given[at]) for place, at in enumerate(others)],
    }
    near, chance = (100 * np.array([row[0] for row in rows]) for rows in shared.values())
    low, high = interval((near - chance).tolist(), seed)
    return Result(
        by_sign(low, high),
        float(near.mean()),
        "% of features shared",
        f"A sentence and the one whose vector is nearest share {near.mean():.0f} % of the "
        f"{len(FEATURES)} features, two drawn at random {chance.mean():.0f} % (difference, 95 %: "
        f"{low:+.0f} to {high:+.0f} points).",
        tuple(mean_curve(name, _by_feature(rows), seed) for name, rows in shared.items()),
        Axes("feature", "% of pairs that share it", FEATURES, ordered=False),
        f"{count} sentences and a neighbor each",
        seed,
        time.perf_counter() - started,
        {
            "sentence": [each.text for each in given],
            "nearest": [given[at].text for at in nearest],
            "cosine": [round(float(cosines[place, at]), 2) for place, at in enumerate(nearest)],
        },
        ends=interval(near.tolist(), seed),
    )


def _shared(one: Probe, other: Probe) -> tuple[float, list[bool]]:
    """Return the share of features that two sentences have in common, and which."""
    same = [getattr(one, feature) == getattr(other, feature) for feature in FEATURES]
    return sum(same) / len(same), same


def _by_feature(rows: list[tuple[float, list[bool]]]) -> dict[float, list[float]]:
    return {
        place + 1.0: [100.0 * same[place] for _, same in rows] for place in range(len(FEATURES))
    }


def _right(inputs: np.ndarray, answers: np.ndarray) -> list[float]:
    """Return 100 for each sentence that a probe fitted to the other folds gets right, else 0."""
    probe = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(C=0.1, max_iter=500))
    return (100.0 * (cross_val_predict(probe, inputs, answers, cv=FOLDS) == answers)).tolist()


def _guessed(answers: np.ndarray) -> list[float]:
    names, counts = np.unique(answers, return_counts=True)
    return (100.0 * (answers == names[counts.argmax()])).tolist()


def _columns(right: dict[str, dict[float, list[float]]]) -> dict[str, list[float]]:
    return {
        name: [round(float(np.mean(values)), 1) for values in by_feature.values()]
        for name, by_feature in right.items()
    }
