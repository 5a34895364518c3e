"""The catalogue: models by task, the best in front, with what they score, weigh and are under."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from seq2seq.catalogue import TASKS, Card
from seq2seq.evaluation.results import score_in_words
from seq2seq.families.language_codes import language_name
from ui.escape import plain, quoted
from ui.links import URL, page_link
from ui.runtime.cards import Cards, catalogued
from ui.runtime.model_store import models
from ui.runtime.names import hidden_models

# The page of each task.
PAGES = {
    "translation": "translation",
    "summarization": "summarization",
    "chatbot": "chatbot",
    "speech": "speech",
    "spelling": "pronunciation",
    "forecasting": "forecasting",
}
LANGUAGES_SHOWN = 8
COLUMNS = 2
ALL, INSTALLED, DOWNLOADABLE = "All", "Installed", "Downloadable"


def model_list() -> None:
    """Show the models that are at hand or that the Hub is known to have, as the visitor asks."""
    found = catalogued()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = st.text_input(
            "Search models",
            key="search_models",
            placeholder="Title, language, architecture",
            max_chars=100,
            autocomplete="off",
            **URL,
        )
        where = st.segmented_control(
            "Show",
            [ALL, INSTALLED, DOWNLOADABLE],
            default=ALL,
            required=True,
            key="show_models",
            **URL,
        )
    hidden = hidden_models()
    store = list(models().brought.items())
    brought = {name: each.card for name, each in store if name not in hidden}
    at_hand = found.embedded | brought
    cards = at_hand if where == INSTALLED else found.offered | at_hand
    if where == DOWNLOADABLE:
        cards = {name: card for name, card in found.offered.items() if name not in at_hand}
    chosen = [card for card in cards.values() if _is_meant(card, sought or "")]
    if not chosen:
        st.info("No model matches: use fewer words, or choose All.", icon=":material/search_off:")
    for task in TASKS:
        of_task = [card for card in chosen if card.task == task]
        if of_task:
            st.subheader(plain(PAGES[task].capitalize()), anchor=False)
            _show_cards(sorted(of_task, key=lambda card: _order(card, found)), found)


def _is_meant(card: Card, sought: str) -> bool:
    """Tell whether all words that are sought begin a word of what a card says."""
    languages = " ".join(map(language_name, card.languages))
    said = f"{card.title} {card.name} {card.task} {card.summary} {languages}".lower()
    words = said.replace("-", " ").split()
    return all(
        any(word.startswith(part) for word in words)
        for part in sought.lower().replace("-", " ").split()
    )


def _order(card: Card, found: Cards) -> tuple[bool, float, str]:
    """Return what puts models at hand first, the best of them in front."""
    return (
        card.name not in found.embedded,
        -found.quality.get(card.name, -math.inf),
        card.title,
    )


def _show_cards(cards: Sequence[Card], found: Cards) -> None:
    for row in (cards[start : start + COLUMNS] for start in range(0, len(cards), COLUMNS)):
        for place, card in zip(st.columns(COLUMNS), row, strict=False):
            with place.container(border=True, height="stretch", gap="xsmall"):
                _show_card(card, found)


def _show_card(card: Card, found: Cards) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(card.title)}**")
        with st.container(width="content"):
            open_link(card.name, card.task)
    size = f"download of {card.megabytes:,} MB" if card.hub else ""
    if card.name in found.sizes:
        size = f"{found.sizes[card.name] / 1e6:,.1f} MB"
    score = score_in_words(card.task, found.quality.get(card.name, -math.inf))
    languages = languages_in_words(card.languages) if card.languages else ""
    facts = filter(None, (score, size, languages, card.licence))
    st.caption(f"{quoted(card.name)} {plain(' · '.join(facts))}")
    if card.summary:
        st.markdown(plain(card.summary))


def open_link(name: str, task: str, label: str = "Open") -> None:
    """Link to the page of a model's task, with the model chosen."""
    if task in PAGES:
        page_link(f"pages/{PAGES[task]}.py", label, checkpoint=name)


def languages_in_words(codes: Sequence[str]) -> str:
    """Name each language once, by its code where it has no name here."""
    names = list(dict.fromkeys(map(language_name, codes)))
    more = len(names) - LANGUAGES_SHOWN
    listed = ", ".join(names[:LANGUAGES_SHOWN]) or "not named"
    return listed + (f" and {more} more" if more > 0 else "")
