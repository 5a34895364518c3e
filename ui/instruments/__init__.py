"""What shows a run. One output, one of its steps, one source token are selected in all of them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from seq2seq.trace import Trace
from ui.address import URL
from ui.code import begin_noting
from ui.instruments import (
    attention,
    attribution,
    beams,
    files,
    forcing,
    inside,
    probabilities,
    tokens,
    whatif,
)
from ui.instruments.view import Reader, View, read_tokens, selected_view
from ui.listening import listening
from ui.runs import Subject

TABS: dict[str, Callable[[View], None]] = {
    "Attention": attention.show,
    "Probabilities": probabilities.show,
    "Beam tree": beams.show,
    "Inside a step": inside.show,
    "Teacher forcing": forcing.show,
    "What if": whatif.show,
    "Attribution": attribution.show,
    "Tokens": tokens.show,
}


@st.fragment
def instruments(subject: Subject, run: Trace, read: Reader = read_tokens) -> None:
    """Show a run: its output, and below it the instrument that the visitor has opened."""
    view = selected_view(subject, run, read)
    begin_noting()
    if view.shown.position_seconds:
        listening(view)
    for tab, show in zip(
        st.tabs(list(TABS), key="tab", on_change="rerun", **URL),
        TABS.values(),
        strict=True,
    ):
        if tab.open:
            with tab:
                show(view)
    files.show(view)
