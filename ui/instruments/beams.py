"""The search: what it kept, what it let go, what it found."""

from __future__ import annotations

import streamlit as st

from seq2seq.trace import Trace
from ui.instruments.view import View


def show(view: View) -> None:
    """Show the outputs that the search found."""
    st.subheader("The best outputs found")
    _n_best(view.run)


def _n_best(trace: Trace) -> None:
    st.dataframe(
        {
            "output": [output.text for output in trace.outputs],
            "score": [round(output.score, 3) for output in trace.outputs],
            "log-probability": [round(output.log_probability, 3) for output in trace.outputs],
            "tokens": [len(output.pieces) for output in trace.outputs],
            "complete": [output.finished for output in trace.outputs],
        },
        hide_index=True,
    )
