"""What shows a run. One output, one of its steps, one source token are selected in all of them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from seq2seq.trace import Trace
from ui.code_export import begin_recording
from ui.instruments import (
    attention,
    attribution,
    beams,
    downloads,
    overview,
    probabilities,
    step_internals,
    teacher_forcing,
    tokens,
    what_if,
)
from ui.instruments.selection import Reader, View, read_tokens, selected_view
from ui.links import URL
from ui.runtime.admission import fragment
from ui.runtime.runs import Subject
from ui.views.speech import listening

TABS: dict[str, Callable[[View], None]] = {
    "Overview": overview.show,
    "Attention": attention.show,
    "Probabilities": probabilities.show,
    "Beam tree": beams.show,
    "Inside a step": step_internals.show,
    "Teacher forcing": teacher_forcing.show,
    "What if": what_if.show,
    "Attribution": attribution.show,
    "Tokens": tokens.show,
}


@fragment
def instruments(subject: Subject, run: Trace, read: Reader = read_tokens) -> None:
    """Show a run: its output, and below it the instrument that the visitor has opened."""
    view = selected_view(subject, run, read)
    begin_recording()
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
    downloads.show(view)
