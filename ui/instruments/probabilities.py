"""How sure the model was, and what else it could have said."""

from __future__ import annotations

import streamlit as st

from ui.chart import chart, clicked
from ui.frame import is_dark
from ui.instruments.view import View, select_step
from ui.instruments.words import alternatives_in_words


def show(view: View) -> None:
    """Show the probability of every token, and the alternatives of the selected step."""
    from seq2seq import figures

    st.subheader("How sure it was")
    trace = view.shown

    def select() -> None:
        if place := clicked("probabilities"):
            select_step(place[0])

    chart(
        "probabilities",
        figures.probabilities(trace, selected=view.step, dark=is_dark()),
        f"Probability of each of the {len(trace.target)} output tokens.",
        lambda: figures.probabilities_csv(trace),
        select,
    )
    alternatives_chart(view)


def alternatives_chart(view: View) -> None:
    """Show what else the selected step considered."""
    from seq2seq import figures

    st.subheader("What else it considered")
    chart(
        "alternatives",
        figures.alternatives(view.shown, step=view.step, dark=is_dark()),
        alternatives_in_words(view.shown, view.step),
        lambda: figures.alternatives_csv(view.shown),
    )
