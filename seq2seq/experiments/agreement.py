"""A verb agrees with a subject that lies far back, past nouns of the other number.

Linzen, Dupoux and Goldberg 2016, section 2: of two forms of the verb, the model should find the
right one more probable. English past tense does not tell the number, so it has to come from the
subject: "The keys near the door of the house fell" becomes "Les clés ... tombaient". Rule: for the
claim that distance hurts without attention if, where most words lie between, the model with
attention is right more often, by the paired 95 % interval; against it if less often.
"""

from __future__ import annotations

import random
import time
from typing import NamedTuple

import numpy as np
import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import Example, collate
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

# English and French, each in the singular and in the plural.
SUBJECTS = (
    ("dog", "dogs", "Le chien", "Les chiens"),
    ("cat", "cats", "Le chat", "Les chats"),
    ("child", "children", "L'enfant", "Les enfants"),
    ("teacher", "teachers", "Le professeur", "Les professeurs"),
    ("girl", "girls", "La fille", "Les filles"),
    ("boy", "boys", "Le garçon", "Les garçons"),
    ("woman", "women", "La femme", "Les femmes"),
    ("friend", "friends", "L'ami", "Les amis"),
)
VERBS = (
    ("slept", "dormait", "dormaient"),
    ("worked", "travaillait", "travaillaient"),
    ("smiled", "souriait", "souriaient"),
    ("waited", "attendait", "attendaient"),
    ("sang", "chantait", "chantaient"),
    ("played", "jouait", "jouaient"),
)
# Three words of English each: what stands between subject and verb.
BETWEEN = (
    ("near the house", "near the houses", "près de la maison", "près des maisons"),
    ("behind the tree", "behind the trees", "derrière l'arbre", "derrière les arbres"),
    ("with the book", "with the books", "avec le livre", "avec les livres"),
    ("under the window", "under the windows", "sous la fenêtre", "sous les fenêtres"),
    ("in the garden", "in the gardens", "dans le jardin", "dans les jardins"),
    ("beside the car", "beside the cars", "à côté de la voiture", "à côté des voitures"),
)
WORDS_BETWEEN = (0, 3, 6, 9, 12)


class Pair(NamedTuple):
    """A source, and the beginnings of its translation with the right verb and with the wrong."""

    source: str
    right: str
    wrong: str


def pairs(between: int, count: int, seed: int = 0) -> list[Pair]:
    """Draw minimal pairs with so many English words between subject and verb, a multiple of 3.

    Every second subject is a plural; all nouns between have the other number.
    """
    chance, found = random.Random(f"{seed} {between}"), []
    for number in range(count):
        plural = number % 2
        subject, verb = chance.choice(SUBJECTS), chance.choice(VERBS)
        middle = chance.sample(BETWEEN, between // 3)
        source = ["The", subject[plural], *(each[1 - plural] for each in middle), verb[0]]
        begun = " ".join([subject[2 + plural], *(each[3 - plural] for each in middle)])
        right, wrong = verb[1 + plural], verb[2 - plural]
        found.append(Pair(f"{' '.join(source)}.", f"{begun} {right}", f"{begun} {wrong}"))
    return found


def run(load: Load, on_part: OnPart, seed: int, models: tuple[str, ...], count: int = 40) -> Result:
    """Score pairs at each distance; value: percent right at the largest one, without attention.

    The model before the last one counts as the one without attention, the last as the one with it.
    """
    started = time.perf_counter()
    right: dict[str, dict[float, list[float]]] = {name: {} for name in models}
    total = len(models) * len(WORDS_BETWEEN)
    titles = titles_of(load, models)
    for number, name in enumerate(models):
        checkpoint = load(name)
        for place, between in enumerate(WORDS_BETWEEN):
            on_part(number * len(WORDS_BETWEEN) + place, total)
            right[name][float(between)] = _right(checkpoint, pairs(between, count, seed))
    far = {name: 100 * float(np.mean(each[WORDS_BETWEEN[-1]])) for name, each in right.items()}
    plain, attending = models[-2], models[-1]
    gains = np.subtract(right[attending][WORDS_BETWEEN[-1]], right[plain][WORDS_BETWEEN[-1]])
    low, high = (100 * end for end in interval(gains.tolist(), seed))
    return Result(
        by_sign(low, high),
        far[plain],
        "% right",
        f"With {WORDS_BETWEEN[-1]} words between subject and verb, {titles[plain]} finds the right "
        f"form of the verb more probable in {far[plain]:.0f} % of the pairs and "
        f"{titles[attending]} in {far[attending]:.0f} % (difference, 95 %: {low:+.0f} to "
        f"{high:+.0f} points); below 50 % the verb agrees with the nearer noun.",
        tuple(
            mean_curve(
                titles[name], {at: [100 * hit for hit in hits] for at, hits in each.items()}, seed
            )
            for name, each in right.items()
        ),
        Axes("words between subject and verb", "% of the pairs right"),
        f"{count} pairs at each of {len(WORDS_BETWEEN)} distances, {len(models)} models",
        seed,
        time.perf_counter() - started,
        {
            "words between": list(WORDS_BETWEEN),
            **{
                titles[name]: [round(100 * float(np.mean(hits)), 1) for hits in each.values()]
                for name, each in right.items()
            },
        },
        ends=interval([100 * hit for hit in right[plain][WORDS_BETWEEN[-1]]], seed),
    )


def _right(checkpoint: Checkpoint, some: list[Pair]) -> list[float]:
    """Return 1 for each pair whose right verb is more probable than the wrong one, else 0."""
    sources = [pair.source for pair in some]
    right = _log_probabilities(checkpoint, sources, [pair.right for pair in some])
    wrong = _log_probabilities(checkpoint, sources, [pair.wrong for pair in some])
    return (right > wrong).astype(float).tolist()


@torch.inference_mode()
def _log_probabilities(checkpoint: Checkpoint, sources: list[str], begun: list[str]) -> np.ndarray:
    """Return log P of the beginnings (rows,) of outputs, whose ends are left open."""
    tokenizer, pad = checkpoint.tokenizer, checkpoint.model.config.pad
    batch = collate(
        [
            Example(tokenizer.encode(source), tokenizer.encode_target(target))
            for source, target in zip(sources, begun, strict=True)
        ]
    ).to(checkpoint.device)
    logits = checkpoint.model(batch.source, batch.target, batch.source != pad)
    chosen = logits.log_softmax(dim=-1).gather(2, batch.labels.unsqueeze(2)).squeeze(2)
    written = (batch.labels != pad) & (batch.labels != checkpoint.model.config.eos)
    sums: np.ndarray = (chosen * written).sum(dim=1).double().cpu().numpy()
    return sums
