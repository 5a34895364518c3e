"""How much visitors may upload. Files lie in the server's memory until their visitor has left."""

from __future__ import annotations

import threading
from typing import Any

import streamlit as st

FILES_UPLOADED = 40  # of one visitor
BYTES_UPLOADED = 600_000_000  # of one visitor
BYTES_UPLOADED_BY_ALL = 3_000_000_000
TOO_MUCH = 413  # the status that a browser is told


def file_megabytes() -> int:
    """Return how large one file may be, in MB of 1,048,576 bytes: the server refuses more."""
    return int(st.get_option("server.maxUploadSize"))


@st.cache_resource(show_spinner=False)
def limit_uploads() -> None:
    """Have this server refuse what goes beyond the limits as it arrives."""
    from streamlit import runtime

    if runtime.exists():
        bound(runtime.get_instance().uploaded_file_mgr)


def bound(manager: Any) -> None:
    """Make a manager of uploaded files refuse one that is too much, in place of keeping it."""
    from starlette.exceptions import HTTPException

    add, lock = manager.add_file, threading.Lock()

    def add_file(session_id: str, file: Any) -> None:
        with lock:
            kept = {name: dict(files) for name, files in list(manager.file_storage.items())}
            kept.setdefault(session_id, {})[file.file_id] = file
            own = kept[session_id].values()
            if (
                len(own) > FILES_UPLOADED
                or _bytes(own) > BYTES_UPLOADED
                or sum(_bytes(files.values()) for files in kept.values()) > BYTES_UPLOADED_BY_ALL
            ):
                raise HTTPException(TOO_MUCH, "Too many files, or too large ones")
            add(session_id, file)

    manager.add_file = add_file


def _bytes(files: Any) -> int:
    return sum(len(file.data) for file in files)
