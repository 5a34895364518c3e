"""The layers of the textbook's Keras program, beside those of the same model of ours."""

from __future__ import annotations

import streamlit as st

from seq2seq.lessons.lesson import Lesson
from ui.escape import plain


def show(lesson: Lesson) -> None:
    """Show the shapes and weights of both, layer by layer."""
    from seq2seq.lessons.keras_example import layers

    found = layers()
    st.table(
        {
            "layer": [each.name for each in found],
            "output": [each.output for each in found],
            "weights": [plain(each.formula) for each in found],
            "Keras": [f"{each.keras:,}" if each.keras else "–" for each in found],
            "ours": [f"{each.ours:,}" for each in found],
        },
        hide_index=True,
    )
    theirs, ours = sum(each.keras for each in found), sum(each.ours for each in found)
    reasons = dict.fromkeys(each.why for each in found if each.why)
    notes = "\n".join(f"- {plain(reason)}" for reason in reasons)
    st.markdown(f"In all {theirs:,} weights in Keras and {ours:,} in ours.\n\n{notes}")
