"""A text of several sentences: each is translated by itself, and one of them is looked at."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from seq2seq.data.sentence_splitting import split_sentences
from seq2seq.decoding.options import Options
from ui.components import highlighted_text
from ui.links import URL
from ui.runtime.runs import Subject, run

MAX_SENTENCES = 20
_NUMBER, _OF = "sentence_number", "sentences_of"


def sentence_looked_at(name: str, text: str, options: Options) -> str:
    """Show the translation of a text and let the visitor choose a sentence; returns that.

    A model that was trained on single sentences reads no more than one at a time. A beginning that
    the output must have is that of the chosen sentence's.
    """
    sentences = split_sentences(text)
    if len(sentences) < 2:
        return text
    if len(sentences) > MAX_SENTENCES:
        st.info(
            f"The first {MAX_SENTENCES} of {len(sentences)} sentences are translated.",
            icon=":material/info:",
        )
        sentences = sentences[:MAX_SENTENCES]
    place = st.container()
    chosen = _chosen(text, len(sentences))
    others = replace(options, prefix="", prefix_tokens=())
    parts = []
    for number, sentence in enumerate(sentences):
        here = number == chosen
        trace = run(Subject(name, sentence, options if here else others), notes=False)
        parts.append((trace.text if trace else "…", here))
    with place:
        highlighted_text("sentences", [("Whole output", parts)])
    return sentences[chosen]


def _chosen(text: str, count: int) -> int:
    """Let the visitor choose one of so many sentences; returns its number, from 0."""
    names, state = [str(number + 1) for number in range(count)], st.session_state
    if state.setdefault(_OF, text) != text or state.get(_NUMBER, "1") not in names:
        state[_NUMBER] = "1"
    state[_OF] = text
    chosen = st.segmented_control(
        f"{count} sentences, translated one by one. Look at number",
        names,
        default=None if _NUMBER in state else "1",
        key=_NUMBER,
        required=True,
        **URL,
    )
    return int(chosen or 1) - 1
