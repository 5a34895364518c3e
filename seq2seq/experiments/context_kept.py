"""One vector holds what a sentence means: linear probes read it off c = h_T.

Adi et al. 2017; Conneau et al. 2018. Rule: for the claim if for every feature the accuracy of a
linear classifier on the context vector lies above always guessing the most frequent answer, by
the 95 % interval over the sentences; undecided if for some only; against it if for none.
"""

from __future__ import annotations

import time

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seq2seq.analysis.probe_sentences import FEATURES, probes
from seq2seq.analysis.sentence_vectors import sentence_vectors
from seq2seq.experiments.result import (
    AGAINST,
    FOR,
    UNDECIDED,
    Axes,
    Load,
    OnPart,
    Result,
    counter,
    interval,
    mean_curve,
)

FOLDS = 5


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    model: str = "lstm-vanilla-en-fr",
    sentences: int = 300,
) -> Result:
    """Fit probes to sentences whose grammar is known; value: mean accuracy in percent."""
    started, checkpoint = time.perf_counter(), load(model)
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
        f"From the {vectors.shape[1]} numbers of c alone, a linear probe tells {sum(above)} of "
        f"{len(above)} features better than guessing: {means['the context vector']:.0f} % right on "
        f"average, where guessing gets {means['guessing']:.0f} % and a bag of the words "
        f"{means['a bag of its words']:.0f} %.",
        tuple(mean_curve(name, values, seed) for name, values in right.items()),
        Axes("what is asked of the vector", "% right", FEATURES),
        f"{len(given)} sentences, {FOLDS} folds",
        seed,
        time.perf_counter() - started,
        {"feature": FEATURES, **_columns(right)},
    )


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
