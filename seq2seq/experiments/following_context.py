"""A word whose meaning only what follows can tell, probed in the encoder's state at that word.

"The sheep was hungry" is about one, "The sheep were hungry" about several: up to the noun both
sentences are the same. A linear probe is asked for the number, from h_j at the noun's last token;
it is fitted to other nouns than it is asked about. Rule: for the claim if it is right more often on
the states of the model that reads both ways, by the paired 95 % interval over sentences; against it
if less often. The states of a model that reads forward are equal by construction, so that its probe
can only guess: that is the control.
"""

from __future__ import annotations

import itertools
import random
import time
from typing import NamedTuple

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.options import Options
from seq2seq.experiments.result import (
    Axes,
    Load,
    OnPart,
    Result,
    by_sign,
    interval,
    mean_curve,
    titles_of,
)
from seq2seq.inference.inputs import prepare

# Nouns whose plural is written like the singular.
NOUNS = ("sheep", "fish", "deer", "salmon", "trout", "shrimp", "aircraft", "spacecraft")
BEFORE = ("The", "The old", "The white")
VERBS = (("was", "were"), ("is", "are"), ("has been", "have been"))
AFTER = ("in the water", "near the trees", "on the other side", "behind us", "very quiet")
FOLDS = 4  # of two nouns each


class Sentence(NamedTuple):
    """before: what both readings begin with, the noun at its end. plural: what the verb tells."""

    before: str
    text: str
    noun: str
    plural: bool


def sentences() -> tuple[Sentence, ...]:
    """Return every combination, singular and plural in turn."""
    found = []
    for noun, before, verb, after in itertools.product(NOUNS, BEFORE, VERBS, AFTER):
        for plural in (False, True):
            begun = f"{before} {noun}"
            found.append(Sentence(begun, f"{begun} {verb[plural]} {after}.", noun, plural))
    return tuple(found)


def run(
    load: Load, on_part: OnPart, seed: int, models: tuple[str, str], count: int = 320
) -> Result:
    """Probe the states of both models, the one that reads both ways last; value: % it is right."""
    started = time.perf_counter()
    pairs = list(zip(*[iter(sentences())] * 2, strict=True))
    drawn = random.Random(seed).sample(pairs, min(len(pairs), count // 2))
    chosen = [sentence for pair in drawn for sentence in pair]
    titles, right = titles_of(load, models), dict[str, list[float]]()
    for number, name in enumerate(models):
        on_part(number, len(models))
        right[titles[name]] = _right(load(name), chosen)
    first, last = (titles[name] for name in models)
    low, high = interval(np.subtract(right[last], right[first]).tolist(), seed)
    means = {name: float(np.mean(values)) for name, values in right.items()}
    return Result(
        by_sign(low, high),
        means[last],
        "% right",
        "“The sheep was …” or “The sheep were …”: from the state at the noun alone, a linear probe "
        f"tells one from several in {means[last]:.0f} % of the sentences with {last} and in "
        f"{means[first]:.0f} % with {first}, which has read the same words by then "
        f"(difference, 95 %: {low:+.0f} to {high:+.0f} points).",
        tuple(mean_curve(name, _by_noun(chosen, values), seed) for name, values in right.items()),
        Axes("noun, left out of the fit", "% right", NOUNS, ordered=False),
        f"{len(chosen)} sentences, {FOLDS} folds of nouns",
        seed,
        time.perf_counter() - started,
        {
            "sentence": [each.text for each in chosen],
            "number": ["plural" if each.plural else "singular" for each in chosen],
            **{name: ["right" if hit else "wrong" for hit in hits] for name, hits in right.items()},
        },
        ends=interval(right[last], seed),
    )


def _right(checkpoint: Checkpoint, chosen: list[Sentence]) -> list[float]:
    """Return 100 for each sentence whose number the probe tells, else 0."""
    states, answers = _states(checkpoint, chosen), [each.plural for each in chosen]
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    nouns = [NOUNS.index(each.noun) for each in chosen]
    told = cross_val_predict(probe, states, answers, groups=nouns, cv=GroupKFold(FOLDS))
    return (100.0 * (told == np.array(answers))).tolist()


@torch.inference_mode()
def _states(checkpoint: Checkpoint, chosen: list[Sentence]) -> np.ndarray:
    """Return h_j at the last token of each sentence's noun: (sentences, width)."""
    found = []
    for each in chosen:
        read = prepare(checkpoint, each.text, Options())
        states = checkpoint.model.encode(read.batch(checkpoint.device)).states[0]
        found.append(states[len(checkpoint.tokenizer.encode(each.before)) - 1])
    return torch.stack(found).float().cpu().numpy()


def _by_noun(chosen: list[Sentence], values: list[float]) -> dict[float, list[float]]:
    found: dict[float, list[float]] = {float(place): [] for place in range(1, len(NOUNS) + 1)}
    for each, value in zip(chosen, values, strict=True):
        found[NOUNS.index(each.noun) + 1.0].append(value)
    return {place: values for place, values in found.items() if values}
