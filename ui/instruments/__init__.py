"""What shows a run. One output, one of its steps, one source token are selected in all of them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from seq2seq.trace import Trace
from ui.components import hint
from ui.instruments import attention, beams, files, probabilities, tokens
from ui.instruments.view import View, selected_view
from ui.runs import Subject

TABS: dict[str, Callable[[View], None]] = {
    "Attention": attention.show,
    "Probabilities": probabilities.show,
    "Beam tree": beams.show,
    "Tokens": tokens.show,
}


@st.fragment
def instruments(subject: Subject, run: Trace) -> None:
    """Show a run: its output, and below it the instrument that the visitor has opened."""
    view = selected_view(subject, run)
    hint(
        "tokens",
        "Click a token of the output to look at that step; hover over any token to see what it "
        "looked at, or who looked at it.",
    )
    for tab, show in zip(
        st.tabs(list(TABS), key="tab", on_change="rerun", bind="query-params"),
        TABS.values(),
        strict=True,
    ):
        if tab.open:
            with tab:
                show(view)
    files.show(view)
