"""Names of models: which there are, what their cards say, which one a task begins with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import streamlit as st

from seq2seq.catalogue import Card, is_hub_name, is_ours
from seq2seq.evaluation.results import score_in_words
from ui.runtime.cards import Cards, catalogued
from ui.runtime.model_store import models

_SEEN = "private_models"  # names of those that this visitor is offered


def known_cards() -> dict[str, Card]:
    """Return the cards of all that can be named without a slash, but for what a link brings."""
    brought = {name: each.card for name, each in list(models().brought.items())}
    found = catalogued()
    return found.offered | found.embedded | brought


def hidden_models() -> set[str]:
    """Return the names of models that other visitors have uploaded or trained: theirs alone.

    Whoever opens a link that names one is offered it from then on.
    """
    private = {name for name, each in list(models().brought.items()) if each.private}
    if not private:
        return private
    seen = st.session_state.setdefault(_SEEN, set())
    seen |= {value for key in ("checkpoint", "models") for value in st.query_params.get_all(key)}
    return private - seen


def show_private(name: str) -> None:
    """Offer this visitor a private model."""
    st.session_state.setdefault(_SEEN, set()).add(name)


def card_of(name: str) -> Card | None:
    """Return the card of a checkpoint that can be named here, without loading it."""
    loaded = models().loaded.get(name)
    return loaded.card if loaded else known_cards().get(name)


def reads_series(name: str) -> bool:
    """Tell whether a checkpoint reads numbers, so that its tokens are values and no words."""
    card = card_of(name)
    return card is not None and card.task == "forecasting"


def _all_cards() -> dict[str, Card]:
    """Return the cards of all that can be named here, as they were when a model was loaded."""
    return known_cards() | {name: each.card for name, each in list(models().loaded.items())}


def checkpoints_for(task: str, also: str | None = None) -> list[str]:
    """Return the names of a task's checkpoints, the best one at hand in front.

    also: one that a link names, whatever its task, if it is of the Hub or was brought.
    """
    cards = _all_cards()
    hidden = hidden_models()
    of_task = (name for name, card in cards.items() if card.task == task)
    names = dict.fromkeys(name for name in of_task if name not in hidden)
    if also and (is_hub_name(also) or also in models().brought):
        names[also] = None
    cards_at_hand = catalogued()

    def order(name: str) -> tuple[bool, float, int]:
        card = cards.get(name)
        missing = name not in cards_at_hand.embedded
        score = cards_at_hand.quality.get(name, -math.inf)
        # Of those that have to be fetched, the one that takes least.
        return missing, -score, card.megabytes if card else 0

    return sorted(names, key=order)


def titles(names: Sequence[str]) -> dict[str, str]:
    """Return how checkpoints are called where they are shown together; no two alike.

    What most titles end with, as the languages, is left out of them.
    """
    cards = _all_cards()
    found = {name: cards[name].title if name in cards else name for name in names}
    endings = Counter(title.partition(", ")[2] for title in found.values())
    ending, count = endings.most_common(1)[0] if endings else ("", 0)
    if ending and count > max(1, len(found) / 2):
        found = {name: title.removesuffix(f", {ending}") for name, title in found.items()}
    return _apart(found)


def labels(names: Sequence[str]) -> dict[str, str]:
    """Return how checkpoints are called in a list; no two alike, which a page takes for one."""
    cards, at_hand = _all_cards(), catalogued()
    return _apart({name: _in_words(name, cards.get(name), at_hand) for name in names})


def _apart(found: dict[str, str]) -> dict[str, str]:
    """Write the name beside what several are called."""
    counts = Counter(found.values())
    return {
        name: label if counts[label] == 1 else f"{label} ({name})" for name, label in found.items()
    }


def _in_words(name: str, card: Card | None, at_hand: Cards) -> str:
    """Return a checkpoint's title, with its score or the size of what has to be downloaded."""
    if card is None:
        return name
    more = score_in_words(card.task, at_hand.quality.get(name, -math.inf))
    if name not in at_hand.embedded and name in at_hand.offered:
        more = f"download of {card.megabytes:,} MB"
    return " · ".join(filter(None, (card.title, more)))


def is_own(name: str) -> bool:
    """Tell, without loading it, whether a checkpoint is one of ours, whose settings are known."""
    folder = catalogued().folders.get(name)
    return folder is not None and is_ours(folder)
