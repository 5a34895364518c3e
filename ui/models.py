"""The models at hand: embedded, fetched from the Hub, or brought by a visitor; loaded once for all.

Held by bytes: the least recently used goes first. A run that still uses one keeps a reference.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq import catalogue
from seq2seq.catalogue import Card, on_hub
from seq2seq.errors import UserError
from seq2seq.repository import is_identifier
from ui.text import plain, quoted

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.repository import Repository

DEFAULT = "lstm-attention-en-fr"
BROUGHT_KEPT = 8  # folders and uploads that can be named at a time
UPLOADED = "upload-"
# Set on a server that strangers can reach: they could otherwise ask what lies on its disk.
HOSTED = ("SEQ2SEQ_HOSTED", "SPACE_ID")


def _limit() -> float:
    """Return how many bytes of weights may stay in memory: SEQ2SEQ_MODELS_GB, or half of it."""
    import psutil

    given = os.environ.get("SEQ2SEQ_MODELS_GB", "")
    if re.fullmatch(r"\d+(\.\d+)?", given):
        return float(given) * 1e9
    return psutil.virtual_memory().total / 2


class Models:
    """Loaded checkpoints, and where those that a visitor brought lie."""

    def __init__(self) -> None:
        self.loaded: OrderedDict[str, Checkpoint] = OrderedDict()
        self.brought: OrderedDict[str, tuple[Path, Card]] = OrderedDict()
        self.loading = threading.Lock()

    def get(self, name: str) -> Checkpoint:
        """Return a checkpoint, loaded once however many ask for it at the same time."""
        import torch

        from seq2seq.checkpoint import load

        torch.set_num_threads(1)  # small tensors: a second thread costs more than it gives
        with self.loading:
            if name not in self.loaded:
                place = self.brought[name][0] if name in self.brought else name
                self.loaded[name] = load(place)
                self._make_room(name)
            self.loaded.move_to_end(name)
            return self.loaded[name]

    def _make_room(self, name: str) -> None:
        while len(self.loaded) > 1 and sum(map(_bytes, self.loaded.values())) > _limit():
            first = next(other for other in self.loaded if other != name)
            del self.loaded[first]

    def bring(self, name: str, folder: Path, card: Card) -> None:
        """Remember where a model lies that a visitor brought; the oldest upload is deleted."""
        with self.loading:
            self.brought[name] = folder, card
            while len(self.brought) > BROUGHT_KEPT:
                gone, (place, _) = self.brought.popitem(last=False)
                self.loaded.pop(gone, None)
                if gone.startswith(UPLOADED):
                    shutil.rmtree(place, ignore_errors=True)


def _bytes(checkpoint: Checkpoint) -> int:
    weights = checkpoint.model.parameters()
    return sum(weight.numel() * weight.element_size() for weight in weights)


@st.cache_resource(show_spinner=False)
def models() -> Models:
    """Return the models of this server, the same for all visitors."""
    return Models()


def card_of(name: str) -> Card | None:
    """Return the card of a checkpoint that can be named here, without loading it."""
    known = catalogue.embedded() | catalogue.offered()
    if name in known:
        return known[name]
    store = models()
    if name in store.brought:
        return store.brought[name][1]
    return store.loaded[name].card if name in store.loaded else None


def checkpoints_for(task: str, also: str | None = None) -> list[str]:
    """Return the names of a task's checkpoints, the one to show first in front.

    also: one that a link or the visitor names, whatever its task says, if it is of the Hub.
    """
    known = catalogue.embedded() | catalogue.offered()
    store = models()
    cards = [*known.values(), *(card for _, card in store.brought.values())]
    cards += [loaded.card for loaded in store.loaded.values()]
    names = dict.fromkeys(card.name for card in cards if card.task == task)
    if also and (is_hub_name(also) or also in store.brought):
        names[also] = None
    ready = catalogue.embedded()
    return sorted(names, key=lambda name: (name != DEFAULT, name not in ready))


def is_hub_name(name: str) -> bool:
    """Tell whether a text can be an id of the Hub rather than a name of ours."""
    return "/" in name and is_identifier(name)


def open_model(name: str) -> Checkpoint | None:
    """Return a checkpoint ready to run.

    Where it has to be fetched first, offers that; where it cannot be had, says why. Returns None.
    """
    store = models()
    try:
        if name not in store.loaded and name not in store.brought:
            identifier = on_hub(name)
            if identifier and not _fetched(identifier, card_of(name)):
                return None
        if name in store.loaded:
            return store.get(name)
        place = st.empty()
        with place, st.spinner("Loading the model: a few seconds, once."):
            checkpoint = store.get(name)
        place.empty()
        return checkpoint
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


@st.cache_data(ttl=600, max_entries=64, show_spinner=False)
def _inspect(identifier: str) -> Repository:
    from seq2seq import hub

    return hub.inspect(identifier)


def _fetched(identifier: str, card: Card | None) -> bool:
    """Fetch a model if the visitor says so; tells whether it is in the cache now.

    card: tells the size without asking the Hub, so that opening a page never waits for it.
    """
    from seq2seq import hub

    if hub.is_cached(identifier):
        return True
    if card and card.megabytes:
        count = card.megabytes * 1_000_000
    else:
        repository = _inspect(identifier)
        if hub.is_cached(repository):
            return True
        count = repository.bytes
    size = f"{count / 1e6:,.0f} MB"
    note = "" if count <= hub.ASK_ABOVE else " This is a lot: be sure that you want it."
    place = st.empty()
    with place.container():
        st.info(
            f"{quoted(identifier)} lies on the Hugging Face Hub and takes {size}.{note}",
            icon=":material/cloud_download:",
        )
        asked = st.button(f"Fetch {size}", key=f"fetch {identifier}", type="primary")
    if not asked:
        return False
    with place.container():
        bar = st.progress(0.0, f"Fetching {size}")
        # A click reruns the page, which ends the fetching.
        st.button("Cancel", key=f"cancel {identifier}")

        def show(done: int, total: int) -> None:
            bar.progress(
                min(1.0, done / max(1, total)), f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB"
            )

        hub.fetch(_inspect(identifier), show)
    place.empty()
    return True


def is_hosted() -> bool:
    """Tell whether strangers use this server, so that its disk is none of their business."""
    return any(os.environ.get(name) for name in HOSTED)


def bring_folder(path: str) -> str | None:
    """Take a folder on this machine; returns the name it goes by, or says why not."""
    folder = Path(path.strip()).expanduser()
    try:
        if is_hosted() or not folder.is_dir():
            raise UserError("There is no such folder here: check its path.")
        return _take(folder, re.sub(r"[^\w.-]", "-", folder.resolve().name).strip(".-") or "folder")
    except (UserError, OSError, ValueError) as error:
        text = str(error) if isinstance(error, UserError) else "There is no such folder here."
        st.error(plain(text), icon=":material/error:")
        return None


def bring_files(files: list[Any]) -> str | None:
    """Take uploaded files as a model; returns the name it goes by, or says why not."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        digest.update(hashlib.sha256(file.getbuffer()).digest())
    name = UPLOADED + digest.hexdigest()[:10]
    if name in models().brought:
        return name
    folder = Path(tempfile.mkdtemp(prefix="seq2seq-"))
    try:
        for file in files:
            if not re.fullmatch(r"\w[\w.-]*", file.name):
                raise UserError(f"A file cannot be called {file.name[:40]!r}: rename it.")
            (folder / file.name).write_bytes(file.getbuffer())
        return _take(folder, name)
    except UserError as error:
        shutil.rmtree(folder, ignore_errors=True)
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _take(folder: Path, name: str) -> str:
    """Load a model from a folder before it is named in any list, so that only good ones are."""
    from seq2seq.checkpoint import load

    store, taken = models(), catalogue.embedded() | catalogue.offered()
    if name in taken:
        if catalogue.CHECKPOINTS / name == folder.resolve():
            return name
        name = f"my-{name}"
    if name in store.brought and store.brought[name][0] == folder:
        return name
    with st.spinner("Loading the model"):
        checkpoint = load(folder)
    card = checkpoint.card
    store.bring(name, folder, Card(**{**vars(card), "name": name, "title": name}))
    return name
