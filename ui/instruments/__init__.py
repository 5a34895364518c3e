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
from ui.instruments.selection import Reader, View, hint_on_tokens, read_tokens, selected_view
from ui.links import URL
from ui.runtime.admission import fragment
from ui.runtime.runs import Subject
from ui.views.speech import listening

OVERVIEW = "Overview"
TABS: dict[str, Callable[[View], None]] = {
    OVERVIEW: overview.show,
    "Attention": attention.show,
    "Probabilities": probabilities.show,
    "Beam tree": beams.show,
    "Step internals": step_internals.show,
    "Teacher forcing": teacher_forcing.show,
    "What if": what_if.show,
    "Attribution": attribution.show,
    "Tokens": tokens.show,
}


@fragment
def instruments(
    subject: Subject, run: Trace, read: Reader = read_tokens, answer: Reader | None = None
) -> None:
    """Show a run: its output, and below it the instrument that the visitor has opened.

    answer: shows what the run is a part of, which is the answer; it stands above the output, and
    what `read` shows between that and the instruments.
    """
    above = st.container()
    view = selected_view(subject, run, "Path" if answer else "Hypothesis")
    begin_recording()
    if answer is not None:
        with above:
            answer(subject, view.shown, view.step, view.word)
        read(subject, view.shown, view.step, view.word)
    below = None if answer else read
    tabs = st.tabs(list(TABS), key="tab", on_change="rerun", **URL)
    for tab, (name, show) in zip(tabs, TABS.items(), strict=True):
        if tab.open:
            with tab:
                _open(view, below, show, begins_with_picture=name == OVERVIEW)
    downloads.show(view)


def _open(
    view: View, read: Reader | None, show: Callable[[View], None], begins_with_picture: bool
) -> None:
    """Show an instrument and both texts; the live picture has them too, so there they come last.

    read: None where the texts stand elsewhere.
    """
    parts = [show] if read is None else [_texts(read), show]
    for part in reversed(parts) if begins_with_picture else parts:
        part(view)
    if not begins_with_picture:
        return
    if read is read_tokens:
        hint_on_tokens(view.shown)
    if view.shown.position_seconds:
        listening(view)


def _texts(read: Reader) -> Callable[[View], None]:
    """Return what shows both texts of a view."""
    return lambda view: read(view.subject, view.shown, view.step, view.word)
