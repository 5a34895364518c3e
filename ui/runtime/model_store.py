"""The models at hand: embedded, fetched from the Hub, or brought by a visitor; loaded once for all.

Held by bytes: the least recently used goes first. A run that still uses one keeps a reference.
A name without a slash is one of ours or was brought; one with a slash is an id of the Hub, and
nothing that a visitor writes is looked up on the disk unless it was brought as a folder.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from seq2seq.catalogue import Card, Location, resolve
from seq2seq.errors import TooLargeError, UserError
from seq2seq.hub.repository import parse
from seq2seq.machine import total_memory
from ui.runtime.downloads import Downloads

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.hub.download import Fetched


BROUGHT_KEPT = 8  # folders and uploads that can be named at a time
WITH_INT8 = 1.4  # what the eight-bit copy adds to a model's bytes


class Brought(NamedTuple):
    """A model that a visitor brought. uploaded: its files are ours to delete.

    private: only whoever brought it, or has a link to it, is offered it.
    """

    folder: Path
    card: Card
    uploaded: bool
    private: bool = False


def limit() -> float:
    """Return how many bytes of weights may stay in memory: SEQ2SEQ_MODELS_GB, or half of it."""
    given = os.environ.get("SEQ2SEQ_MODELS_GB", "")
    if re.fullmatch(r"\d+(\.\d+)?", given):
        return float(given) * 1e9
    return total_memory() / 2


class Models:
    """Loaded checkpoints, and where those that a visitor brought lie."""

    def __init__(self) -> None:
        self.loaded: OrderedDict[str, Checkpoint] = OrderedDict()
        self.brought: OrderedDict[str, Brought] = OrderedDict()
        self.uploads = tempfile.TemporaryDirectory(prefix="seq2seq-", ignore_cleanup_errors=True)
        self._lock = threading.Lock()  # of the tables; never held while something is loaded
        self._loading = threading.Lock()  # each load looks at what the others have left free
        self._gates: dict[str, threading.Lock] = {}
        self._downloads = Downloads()

    def get(self, name: str) -> Checkpoint:
        """Return a checkpoint, loaded once however many ask for it at the same time."""
        with self._lock:
            gate = self._gates.setdefault(name, threading.Lock())
            if name in self.loaded:
                self.loaded.move_to_end(name)
                return self.loaded[name]
        with gate:
            if name not in self.loaded:
                brought = name in self.brought
                checkpoint = self._load(name)
                with self._lock:
                    if not brought or name in self.brought:  # not forgotten meanwhile
                        self.loaded[name] = checkpoint
                        self._make_room(limit())
            return self.loaded.get(name) or checkpoint

    def _load(self, name: str) -> Checkpoint:
        from seq2seq.checkpoint import load

        folder, identifier = self.resolve(name)
        notes: tuple[str, ...] = ()
        if identifier:
            fetched = self.fetch(identifier)
            folder, notes = fetched.folder, fetched.notes
        assert folder is not None
        with self._loading:
            try:
                loaded = load(folder, called=name)
            except TooLargeError:
                with self._lock:
                    self._make_room(0)
                loaded = load(folder, called=name)
        return replace(loaded, notes=notes + loaded.notes)

    def fetch(
        self, identifier: str, on_progress: Callable[[int, int], None] | None = None
    ) -> Fetched:
        """Bring a model of the Hub into the cache, unless it is there. Raises UserError."""
        ids = filter(None, map(self._hub_id, list(self.loaded)))
        return self._downloads.fetch(identifier, {parse(each).name for each in ids}, on_progress)

    def resolve(self, name: str) -> Location:
        """Find a model that was brought, or one by its name or id. Raises UserError."""
        if brought := self.brought.get(name):
            return Location(brought.folder)
        return resolve(name, paths=False)

    def _hub_id(self, name: str) -> str:
        with suppress(UserError):  # its folder may be gone since it was loaded
            return self.resolve(name).hub
        return ""

    def _make_room(self, limit: float) -> None:
        """Unload models, those used longest ago first, until the others fit; the last one stays."""
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
            if name in self.brought:
                self.brought[name] = brought._replace(card=card)
        return checkpoint

    def forget(self, name: str) -> None:
        """Delete a model that a visitor brought, if it is there."""
        with self._lock:
            if brought := self.brought.pop(name, None):
                self._forget(name, brought)

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
