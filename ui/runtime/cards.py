"""The cards in checkpoints/, read anew once a file of them has changed."""

from __future__ import annotations

import os
from collections.abc import Hashable
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

from seq2seq import catalogue
from seq2seq.catalogue import Card
from seq2seq.evaluation.results import EVALUATION, quality

WEIGHTS = "model.safetensors"


class Cards(NamedTuple):
    """The cards in checkpoints/, of models that the Hub has and of those with weights.

    quality: of those with weights, by their main score on the validation set; more is better.
    sizes: of their weights, in bytes.
    """

    offered: dict[str, Card]
    embedded: dict[str, Card]
    quality: dict[str, float]
    sizes: dict[str, int]


@lru_cache(maxsize=1)
def _read_cards(stamp: Hashable) -> Cards:
    embedded = catalogue.embedded()
    scores = {name: quality(catalogue.CHECKPOINTS / name, embedded[name].task) for name in embedded}
    sizes = {name: (catalogue.CHECKPOINTS / name / WEIGHTS).stat().st_size for name in embedded}
    return Cards(catalogue.offered(), embedded, scores, sizes)


def catalogued() -> Cards:
    """Return the cards, read anew once a file of them has changed: it takes longer than a look."""
    stamp: list[tuple[str, int]] = []
    place = catalogue.CHECKPOINTS
    for folder in os.scandir(place) if place.is_dir() else ():
        for name in ("card.toml", WEIGHTS, EVALUATION):
            with suppress(OSError):
                file = os.path.join(folder.path, name)
                stamp.append((file, os.stat(file).st_mtime_ns))
    return _read_cards(tuple(sorted(stamp)))
