"""The cards in checkpoints/, read anew once a file of them has changed."""

from __future__ import annotations

import os
from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from seq2seq import catalogue
from seq2seq.catalogue import Card
from seq2seq.evaluation.results import EVALUATION, SentToHelp, quality, sent_to_help
from seq2seq.hub.cache import last_fetched
from seq2seq.hub.repository import is_identifier, parse

WEIGHTS = "model.safetensors"
FILES = ("card.toml", WEIGHTS, EVALUATION)


class Cards(NamedTuple):
    """The cards in checkpoints/, of models that the Hub has and of those at hand.

    embedded: those with weights in checkpoints/, and those of ours that were fetched from the Hub.
    folders: where their files lie. quality: by their main score on the validation set; more is
    better. sizes: of their weights, in bytes. sent_to_help: whom those for a conversation send
    there.
    """

    offered: dict[str, Card]
    embedded: dict[str, Card]
    folders: dict[str, Path]
    quality: dict[str, float]
    sizes: dict[str, int]
    sent_to_help: dict[str, SentToHelp]


@lru_cache(maxsize=1)
def _read_offered(stamp: Hashable) -> dict[str, Card]:
    return catalogue.offered()


@lru_cache(maxsize=1)
def _repositories(stamp: Hashable) -> list[str]:
    hubs = [card.hub for card in _read_offered(stamp).values()]
    return sorted({parse(hub).name for hub in hubs if is_identifier(hub)})


@lru_cache(maxsize=1)
def _read_cards(stamp: Hashable, fetched: Hashable) -> Cards:
    offered = _read_offered(stamp)
    embedded = catalogue.embedded() | {
        name: card for name, card in offered.items() if _is_ours_at_hand(name)
    }
    folders = {name: folder for name in embedded if (folder := catalogue.folder_at_hand(name))}
    scores = {name: quality(folder, embedded[name].task) for name, folder in folders.items()}
    sizes = {name: (folder / WEIGHTS).stat().st_size for name, folder in folders.items()}
    helped = {
        name: sent_to_help(folder)
        for name, folder in folders.items()
        if embedded[name].task == "chatbot"
    }
    cards = {name: embedded[name] for name in folders}
    return Cards(offered, cards, folders, scores, sizes, helped)


def _is_ours_at_hand(name: str) -> bool:
    folder = catalogue.folder_at_hand(name)
    return folder is not None and catalogue.is_ours(folder)


def catalogued() -> Cards:
    """Return the cards, read anew once a file of them has changed: it takes longer than a look."""
    stamp: list[tuple[str, int]] = []
    place = catalogue.CHECKPOINTS
    # Paths as texts: a page asks this several times.
    for folder in os.scandir(place) if place.is_dir() else ():
        for name in FILES:
            file = f"{folder.path}{os.sep}{name}"
            try:
                stamp.append((file, os.stat(file).st_mtime_ns))
            except OSError:
                continue
    written = tuple(sorted(stamp))
    return _read_cards(written, tuple(last_fetched(_repositories(written)).items()))
