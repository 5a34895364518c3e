"""Models that a visitor brings: folders of this machine and uploaded files."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st

from seq2seq import catalogue
from seq2seq.catalogue import Card
from seq2seq.errors import UserError
from seq2seq.text_files import LONGEST
from ui.escape import plain
from ui.runtime.admission import admission
from ui.runtime.file_kinds import HEAD, unlike_a_model
from ui.runtime.hosting import is_hosted
from ui.runtime.model_store import Brought, Models, models
from ui.runtime.names import known_cards, show_private
from ui.runtime.upload_limits import BYTES_UPLOADED, FILES_UPLOADED
from ui.runtime.visits import presence

LEFT = 120.0  # seconds without a connection after which Streamlit ends a session
BETWEEN_LOOKS = 1.0  # seconds


def bring_folder(path: str) -> str | None:
    """Take a folder on this machine; returns the name it goes by, or says why not."""
    try:
        folder = Path(path.strip()).expanduser().resolve()
        if is_hosted() or not folder.is_dir():
            raise UserError("There is no such folder here: check its path.")
        if folder.parent == catalogue.CHECKPOINTS.resolve() and folder.name in known_cards():
            return folder.name
        name = _name_of(folder)
        if name not in models().brought:
            _take(name, folder, uploaded=False)
        return name
    except (UserError, OSError, ValueError, RuntimeError) as error:
        text = (
            str(error)
            if isinstance(error, UserError)
            else "This folder cannot be opened: check its path."
        )
        st.error(plain(text), icon=":material/error:")
        return None


def bring_files(files: list[Any]) -> str | None:
    """Take uploaded files as a model; returns the name it goes by, or says why not."""
    digest = hashlib.sha256()
    for file in files:
        # An upload has an id of its own, so that a rerun of the page reads no gigabyte again.
        content = getattr(file, "file_id", None) or hashlib.sha256(file.getbuffer()).hexdigest()
        digest.update(f"{file.name} {content}".encode(errors="replace"))
    store, name = models(), f"{_model_of(files)}-{digest.hexdigest()[:10]}"
    if name in store.brought:
        return name
    folder = Path(tempfile.mkdtemp("", f"{name}-", store.uploads.name))
    try:
        if len(files) > FILES_UPLOADED or sum(f.getbuffer().nbytes for f in files) > BYTES_UPLOADED:
            raise UserError(
                f"This is too much: give at most {FILES_UPLOADED} files of "
                f"{BYTES_UPLOADED // 1_000_000} MB in all."
            )
        if not any(file.name == "config.json" for file in files):
            for file in files:
                if what := unlike_a_model(file.name, bytes(file.getbuffer()[:HEAD])):
                    raise UserError(what)
        for file in files:
            if not re.fullmatch(r"\w[\w.-]{0,100}", file.name):
                raise UserError(
                    f"A file cannot be called {file.name[:40]!r}: rename it with letters, digits, "
                    "dots, - and _ alone."
                )
            (folder / file.name).write_bytes(file.getbuffer())
        _take(name, folder, uploaded=True)
        return name
    except (UserError, OSError) as error:
        text = (
            str(error)
            if isinstance(error, UserError)
            else "The files could not be kept here: try again later."
        )
        st.error(plain(text), icon=":material/error:")
        return None
    finally:  # a visitor who leaves in between leaves nothing behind
        if name not in store.brought:
            shutil.rmtree(folder, ignore_errors=True)


def _model_of(files: list[Any]) -> str:
    """Return what uploaded files call their model, "upload" if they do not."""
    for file in files:
        if file.name == "config.json":
            with suppress(ValueError, RecursionError, KeyError, TypeError):
                called = json.loads(bytes(file.getbuffer()[:LONGEST]))["_name_or_path"]
                if shown := _as_name(str(called).rstrip("/").rpartition("/")[2]):
                    return shown
    return "upload"


def _as_name(text: str) -> str:
    return re.sub(r"[^\w.-]", "-", text[:40], flags=re.ASCII).strip(".-_")


def _name_of(folder: Path) -> str:
    """Name a folder so that another one, or other files in it, have another name."""
    seen = hashlib.sha256(str(folder).encode(errors="replace"))
    for path in sorted(folder.iterdir()):
        if path.is_file():
            facts = path.stat()
            seen.update(f"{path.name} {facts.st_size} {facts.st_mtime_ns}".encode(errors="replace"))
    shown = _as_name(folder.name) or "folder"
    return f"{shown}-{seen.hexdigest()[:6]}"


def _take(name: str, folder: Path, uploaded: bool) -> None:
    """Load a model and remember it; only good ones are.

    What is uploaded is offered to its visitor alone, and ends with the session.
    """
    if uploaded:
        show_private(name)
    with admission().outside(), st.spinner("Loading the model"):
        unknown = Card(name, name, "translation", "unknown")
        models().bring(name, Brought(folder, unknown, uploaded, private=uploaded))
        if uploaded:  # before the page is written to, which is where a visit ends
            args = models(), name, presence()
            threading.Thread(target=_forget_once_left, args=args, daemon=True).start()


def _forget_once_left(store: Models, name: str, is_there: Callable[[], bool]) -> None:
    seen = time.monotonic()
    while name in store.brought and time.monotonic() - seen < LEFT:
        time.sleep(BETWEEN_LOOKS)
        if is_there():
            seen = time.monotonic()
    store.forget(name)
