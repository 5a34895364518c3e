"""Opening a model: from memory, from a folder, or fetched from the Hub with progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.catalogue import Card
from seq2seq.errors import UserError
from ui.escape import plain, quoted
from ui.runtime.admission import admission
from ui.runtime.hosting import is_anonymous
from ui.runtime.model_store import models
from ui.runtime.names import card_of

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.hub.repository import Repository


def open_model(name: str) -> Checkpoint | None:
    """Return a checkpoint ready to run.

    Where it has to be fetched first, offers that; where it cannot be had, says why. Returns None.
    """
    store = models()
    try:
        if name in store.loaded:
            return store.get(name)
        identifier = store.resolve(name).hub
        if identifier and not _fetched(identifier, card_of(name)):
            return None
        place = st.empty()
        with place, admission().outside(), st.spinner("Loading the model: a few seconds, once."):
            checkpoint = store.get(name)
        place.empty()
        return checkpoint
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


@st.cache_data(ttl=600, max_entries=64, show_spinner=False)
def _inspect(identifier: str) -> Repository:
    from seq2seq import hub

    return hub.inspect(identifier, anonymous=is_anonymous(identifier))


def _fetched(identifier: str, card: Card | None) -> bool:
    """Fetch a model if the visitor says so; tells whether it is in the cache now.

    card: tells the size without asking the Hub, so that opening a page never waits for it.
    """
    from seq2seq import hub

    if hub.cached(identifier, is_anonymous(identifier)):
        return True
    if card and card.megabytes:
        count = card.megabytes * 1_000_000
    else:
        with admission().outside():
            repository = _inspect(identifier)
        if hub.is_cached(repository):
            return True
        count = repository.bytes
    size = f"{count / 1e6:,.0f} MB"
    note = "" if count <= hub.ASK_ABOVE else " That is large: go on only if you need it."
    place = st.empty()
    with place.container():
        st.info(
            f"{quoted(identifier)} is on the Hugging Face Hub: the download is {size}.{note}",
            icon=":material/cloud_download:",
        )
        asked = st.button(f"Download {size}", key=f"fetch {identifier}", type="primary")
    if not asked:
        return False
    with place.container():
        bar = st.progress(0.0, f"Downloading {size}")
        # A click reruns the page, which ends the fetching.
        st.button("Cancel", key=f"cancel {identifier}")

        def show(done: int, total: int) -> None:
            bar.progress(
                min(1.0, done / max(1, total)), f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
            )

        with admission().outside():
            models().fetch(identifier, show)
    place.empty()
    return True
