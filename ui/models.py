"""The models at hand: embedded, fetched from the Hub, or brought by a visitor; loaded once for all.

Held by bytes: the least recently used goes first. A run that still uses one keeps a reference.
A name without a slash is one of ours or was brought; one with a slash is an id of the Hub, and
nothing that a visitor writes is looked up on the disk unless it was brought as a folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from seq2seq import catalogue
from seq2seq.catalogue import Card, is_ours
from seq2seq.errors import TooLargeError, UserError
from seq2seq.hub.repository import is_identifier
from ui.text import plain, quoted

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.hub.repository import Repository

DEFAULT = "lstm-attention-en-fr"
BROUGHT_KEPT = 8  # folders and uploads that can be named at a time
FILES_UPLOADED, BYTES_UPLOADED = 40, 4_000_000_000  # most of one model
# Set on a server that strangers can reach: they could otherwise ask what lies on its disk.
HOSTED = ("SEQ2SEQ_HOSTED", "SPACE_ID")
WITH_INT8 = 1.4  # what the eight-bit copy adds to a model's bytes


class Brought(NamedTuple):
    """A model that a visitor brought. uploaded: its files are ours to delete."""

    folder: Path
    card: Card
    uploaded: bool


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
        self.brought: OrderedDict[str, Brought] = OrderedDict()
        self.uploads = tempfile.TemporaryDirectory(prefix="seq2seq-", ignore_cleanup_errors=True)
        self._lock = threading.Lock()  # of the tables; never held while something is loaded
        self._gates: dict[str, threading.Lock] = {}

    def get(self, name: str) -> Checkpoint:
        """Return a checkpoint, loaded once however many ask for it at the same time."""
        with self._lock:
            gate = self._gates.setdefault(name, threading.Lock())
            if name in self.loaded:
                self.loaded.move_to_end(name)
                return self.loaded[name]
        with gate:
            if name not in self.loaded:
                checkpoint = self._load(name)
                with self._lock:
                    self.loaded[name] = checkpoint
                    self._make_room(_limit())
            return self.loaded.get(name) or checkpoint

    def _load(self, name: str) -> Checkpoint:
        import torch

        from seq2seq import hub
        from seq2seq.checkpoint import load

        torch.set_num_threads(1)  # small tensors: a second thread costs more than it gives
        place: str | Path = self.brought[name].folder if name in self.brought else name
        notes: tuple[str, ...] = ()
        if identifier := hub_id(name):
            fetched = hub.fetch(hub.cached(identifier) or identifier)
            place, notes = fetched.folder, fetched.notes
        try:
            loaded = load(place, called=name)
        except TooLargeError:
            with self._lock:
                self._make_room(0)
            loaded = load(place, called=name)
        return replace(loaded, notes=notes + loaded.notes)

    def _make_room(self, limit: float) -> None:
        """Let go of models but the last one loaded until the others fit."""
        while len(self.loaded) > 1 and sum(map(held_bytes, self.loaded.values())) > limit:
            self.loaded.popitem(last=False)
        if not limit:
            self.loaded.clear()

    def bring(self, name: str, brought: Brought) -> Checkpoint:
        """Load a model that a visitor brought and remember it; the oldest one is forgotten."""
        with self._lock:
            self.brought[name] = brought
            while len(self.brought) > BROUGHT_KEPT:
                gone, old = self.brought.popitem(last=False)
                self._forget(gone, old)
        try:
            checkpoint = self.get(name)
        except BaseException:
            with self._lock:
                if failed := self.brought.pop(name, None):
                    self._forget(name, failed)
            raise
        card = replace(checkpoint.card, name=name, title=name)
        with self._lock:
            self.brought[name] = brought._replace(card=card)
        return checkpoint

    def _forget(self, name: str, brought: Brought) -> None:
        self.loaded.pop(name, None)
        if brought.uploaded:
            shutil.rmtree(brought.folder, ignore_errors=True)


def held_bytes(checkpoint: Checkpoint) -> float:
    """Return what a checkpoint takes in memory."""
    weights = checkpoint.model.parameters()
    count = sum(weight.numel() * weight.element_size() for weight in weights)
    return count if checkpoint.quantized is None else WITH_INT8 * count


@st.cache_resource(show_spinner=False)
def models() -> Models:
    """Return the models of this server, the same for all visitors."""
    return Models()


class Cards(NamedTuple):
    """The cards in checkpoints/, of models that the Hub has and of those with weights."""

    offered: dict[str, Card]
    embedded: dict[str, Card]


@lru_cache(maxsize=1)
def _read_cards(stamp: Hashable) -> Cards:
    return Cards(catalogue.offered(), catalogue.embedded())


def catalogued() -> Cards:
    """Return the cards, read anew once a file of them has changed: it takes longer than a look."""
    stamp: list[tuple[str, int]] = []
    place = catalogue.CHECKPOINTS
    for folder in os.scandir(place) if place.is_dir() else ():
        for name in ("card.toml", "model.safetensors"):
            with suppress(OSError):
                file = os.path.join(folder.path, name)
                stamp.append((file, os.stat(file).st_mtime_ns))
    return _read_cards(tuple(sorted(stamp)))


def _known() -> dict[str, Card]:
    """Return the cards of all that can be named without a slash, but for what a link brings."""
    brought = {name: each.card for name, each in list(models().brought.items())}
    found = catalogued()
    return found.offered | found.embedded | brought


def card_of(name: str) -> Card | None:
    """Return the card of a checkpoint that can be named here, without loading it."""
    loaded = models().loaded.get(name)
    return loaded.card if loaded else _known().get(name)


def checkpoints_for(task: str, also: str | None = None) -> list[str]:
    """Return the names of a task's checkpoints, the one to show first in front.

    also: one that a link names, whatever its task, if it is of the Hub or was brought.
    """
    cards = _known() | {name: each.card for name, each in list(models().loaded.items())}
    names = dict.fromkeys(name for name, card in cards.items() if card.task == task)
    if also and (is_hub_name(also) or also in models().brought):
        names[also] = None
    ready = catalogued().embedded
    return sorted(names, key=lambda name: (name != DEFAULT, name not in ready))


def is_hub_name(name: str) -> bool:
    """Tell whether a text can be an id of the Hub rather than a name of ours."""
    return "/" in name and is_identifier(name)


def hub_id(name: str) -> str | None:
    """Return the Hub's id of a model: itself, or what its card says; None for one at hand."""
    if "/" in name:
        return name
    card = None if name in models().brought else _known().get(name)
    return card.hub or None if card else None


def is_own(name: str) -> bool:
    """Tell, without loading it, whether a checkpoint is one of ours, whose settings are known."""
    return name in catalogued().embedded and is_ours(catalogue.CHECKPOINTS / name)


def open_model(name: str) -> Checkpoint | None:
    """Return a checkpoint ready to run.

    Where it has to be fetched first, offers that; where it cannot be had, says why. Returns None.
    """
    store = models()
    try:
        if name in store.loaded:
            return store.get(name)
        identifier = hub_id(name)
        if identifier and not _fetched(identifier, card_of(name)):
            return None
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

    if hub.cached(identifier):
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
    try:
        folder = Path(path.strip()).expanduser().resolve()
        if is_hosted() or not folder.is_dir():
            raise UserError("There is no such folder here: check its path.")
        if folder.parent == catalogue.CHECKPOINTS.resolve() and folder.name in _known():
            return folder.name
        name = _name_of(folder)
        if name not in models().brought:
            _take(name, folder, uploaded=False)
        return name
    except (UserError, OSError, ValueError, RuntimeError) as error:
        text = str(error) if isinstance(error, UserError) else "There is no such folder here."
        st.error(plain(text), icon=":material/error:")
        return None


def _name_of(folder: Path) -> str:
    """Name a folder so that another one, or other files in it, have another name."""
    seen = hashlib.sha256(str(folder).encode(errors="replace"))
    for path in sorted(folder.iterdir()):
        if path.is_file():
            facts = path.stat()
            seen.update(f"{path.name} {facts.st_size} {facts.st_mtime_ns}".encode(errors="replace"))
    shown = re.sub(r"[^\w.-]", "-", folder.name).strip(".-")[:40] or "folder"
    return f"{shown}-{seen.hexdigest()[:6]}"


def bring_files(files: list[Any]) -> str | None:
    """Take uploaded files as a model; returns the name it goes by, or says why not."""
    digest = hashlib.sha256()
    for file in files:
        # An upload has an id of its own, so that a rerun of the page reads no gigabyte again.
        content = getattr(file, "file_id", None) or hashlib.sha256(file.getbuffer()).hexdigest()
        digest.update(f"{file.name} {content}".encode(errors="replace"))
    store, name = models(), "upload-" + digest.hexdigest()[:10]
    if name in store.brought:
        return name
    folder = Path(tempfile.mkdtemp(dir=store.uploads.name))
    try:
        if len(files) > FILES_UPLOADED or sum(f.getbuffer().nbytes for f in files) > BYTES_UPLOADED:
            raise UserError(
                f"This is too much: give at most {FILES_UPLOADED} files of "
                f"{BYTES_UPLOADED / 1e9:.0f} GB in all."
            )
        for file in files:
            if not re.fullmatch(r"\w[\w.-]{0,100}", file.name):
                raise UserError(f"A file cannot be called {file.name[:40]!r}: rename it.")
            (folder / file.name).write_bytes(file.getbuffer())
        _take(name, folder, uploaded=True)
        return name
    except (UserError, OSError) as error:
        text = str(error) if isinstance(error, UserError) else "The server has no room for this."
        st.error(plain(text), icon=":material/error:")
        return None
    finally:  # a visitor who leaves in between leaves nothing behind
        if name not in store.brought:
            shutil.rmtree(folder, ignore_errors=True)


def _take(name: str, folder: Path, uploaded: bool) -> None:
    """Load a model and remember it; only good ones are."""
    with st.spinner("Loading the model"):
        unknown = Card(name, name, "translation", "unknown")
        models().bring(name, Brought(folder, unknown, uploaded))
