"""How text becomes numbers, and numbers text."""

from __future__ import annotations

import streamlit as st

from seq2seq.trace import Tokens, words
from ui.instruments.view import View


def show(view: View) -> None:
    """Show the pieces of source and output, their ids, and the words they belong to."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("What it read")
        if view.shown.position_seconds:
            st.markdown(
                f"The recording was heard as {len(view.shown.source)} positions of "
                f"{view.shown.position_seconds * 1000:.0f} ms each: sound has no tokens."
            )
        else:
            _table(view.shown.source)
    with right:
        st.subheader("What it wrote")
        _table(view.shown.target)


def _table(tokens: Tokens) -> None:
    written = words(tokens)
    st.dataframe(
        {
            "position": list(range(1, len(tokens) + 1)),
            "piece": list(tokens.pieces),
            "id": list(tokens.ids),
            "word": [written[number] for number in tokens.words],
        },
        hide_index=True,
    )
