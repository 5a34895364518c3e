"""The run as a file, and the lines of code that make it."""

from __future__ import annotations

import streamlit as st

from seq2seq.trace import Trace
from ui.code_export import code
from ui.instruments.selection import View


def show(view: View) -> None:
    """Offer the run as JSON, and the code of the pictures that are open."""
    with st.container(horizontal=True):
        offer("Run (JSON)", view.run, "run.json")
        with st.popover("Show the code", icon=":material/code:"):
            st.code(code(view), language="python")


def offer(label: str, trace: Trace, file: str) -> None:
    """Offer a run as a file of this name, where the page would open it again."""
    fits = trace.for_file() is not None
    st.download_button(
        label,
        trace.to_file,
        file,
        "application/json",
        on_click="ignore",
        icon=":material/download:",
        help="Open it again on this page with Open run: that needs no model."
        if fits
        else "This run is too large to be saved: choose a shorter text.",
        disabled=not fits,
    )
