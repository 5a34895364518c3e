"""The run as a file, and the lines of code that make it."""

from __future__ import annotations

import streamlit as st

from ui.code import code
from ui.instruments.view import View


def show(view: View) -> None:
    """Offer the run as JSON, and the code of the pictures that are open."""
    with st.container(horizontal=True):
        st.download_button(
            "Run (JSON)",
            view.run.to_json,
            "run.json",
            "application/json",
            on_click="ignore",
            icon=":material/download:",
            help="Opens again on this page, without the model, by Open a saved run.",
        )
        with st.popover("Show the code", icon=":material/code:"):
            st.code(code(view), language="python")
