"""Start: one sentence through an encoder-decoder, with attention and without, and ways on."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from seq2seq import catalogue
from ui.escape import plain
from ui.inputs.task_controls import first_checkpoint
from ui.inputs.text_input import empty_state, source_input
from ui.instruments.overview import instrument_names, picture_of
from ui.instruments.run_summary import timing
from ui.links import URL, page_link
from ui.runtime.names import checkpoints_for, is_own
from ui.runtime.runs import Subject, run

# With attention its translation is right, and without it is not.
FIRST_SENTENCE = "The children are playing in the garden behind the house."
LABEL = "Watch an encoder-decoder read this sentence and write another, or type your own"
WITH, WITHOUT = "With attention", "Without attention"
_OPENED = "opened_from_start"


def start_page() -> None:
    """Show the input, the live picture of its run and where to go from there."""
    first = first_checkpoint("translation")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = source_input(LABEL, "sentence", FIRST_SENTENCE)
        name = _chosen_model() or first
    if name is None:
        return
    _follow(name, text)
    if not text.strip():
        empty_state("Nothing to read yet: type a sentence and press Enter.")
        return
    subject = Subject(name, text)
    trace = run(subject)
    if trace is not None:
        st.markdown(f"**Output** &nbsp; {plain(trace.text)}")
        picture_of(subject, trace, "start_picture", opens=instrument_names(), on_open=_open)
    ways_on(text)
    if trace is not None:
        timing(trace)


def _chosen_model() -> str | None:
    """Let the visitor choose between the best models with attention and without, if both exist."""
    offered = _pair()
    if len(offered) < 2:
        return None
    chosen = st.segmented_control(
        "Decoder", list(offered), default=WITH, key="decoder", required=True, **URL
    )
    return offered[chosen]


def _pair() -> dict[str, str]:
    """Return the best recurrent model with attention and the best one without, at hand."""
    found: dict[str, str] = {}
    for name in filter(is_own, checkpoints_for("translation")):
        kind = catalogue.attention_of(catalogue.CHECKPOINTS / name)
        if kind not in (None, "heads"):
            found.setdefault(WITHOUT if kind == "none" else WITH, name)
    return {label: found[label] for label in (WITH, WITHOUT) if label in found}


def _open(instrument: str, step: int) -> None:
    st.session_state[_OPENED] = instrument, step


def _follow(name: str, text: str) -> None:
    """Go to the page of the task where a part of the picture was opened."""
    instrument, step = st.session_state.pop(_OPENED, (None, 0))
    if instrument is None:
        return
    query = {"text": text, "checkpoint": name, "tab": instrument, "step": str(step + 1)}
    with suppress(StreamlitAPIException):  # a page that runs alone has no others
        st.switch_page("pages/translation.py", query_params=query)


def ways_on(text: str) -> None:
    """Show where to go from here, with the sentence."""
    explore, inside, bring = st.columns(3)
    with explore, st.container(border=True, height="stretch"):
        st.markdown("**Explore a task** on real models")
        with st.container(horizontal=True, gap="small"):
            page_link("pages/translation.py", "Translation", text=text)
            page_link("pages/summarization.py", "Summarization")
            page_link("pages/chatbot.py", "Chatbot")
            page_link("pages/speech.py", "Speech to text")
            page_link("pages/pronunciation.py", "Pronunciation")
    with inside, st.container(border=True, height="stretch"):
        st.markdown("**Look inside** what a vector holds")
        with st.container(horizontal=True, gap="small"):
            page_link("pages/compare.py", "Compare architectures", sentence=text)
            page_link("pages/context_vector.py", "Context vector")
            page_link("pages/sentence_map.py", "Map of sentences")
            page_link("pages/benchmarks.py", "Benchmarks")
    with bring, st.container(border=True, height="stretch"):
        st.markdown("**Bring a model** from the Hub, a folder or a file")
        page_link("pages/models.py", "Models")
