"""Start: one sentence through an encoder-decoder, with attention and without, and ways on."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException

from seq2seq import catalogue
from seq2seq.trace import Trace
from ui.components import Ties
from ui.escape import plain
from ui.inputs.task_controls import first_checkpoint
from ui.inputs.text_input import empty_state, source_input
from ui.instruments.overview import instrument_names, picture_of
from ui.instruments.run_summary import timing
from ui.links import URL, page_link
from ui.page import is_dark
from ui.runtime.cards import catalogued
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
        empty_state("Type a sentence and press Enter.")
        return
    subject = Subject(name, text)
    trace = run(subject)
    if trace is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Output** &nbsp; {plain(trace.text)}")
            files = st.container(width="content")
        picture_of(
            subject,
            trace,
            "start_picture",
            Ties(opens=instrument_names(), on_open=_open),
            files,
            explains=True,
        )
    _ways_on(text, trace)
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
        kind = catalogue.attention_of(catalogued().folders[name])
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


def _ways_on(text: str, trace: Trace | None) -> None:
    """Show where to go from here, with the sentence; small pictures are of this run and model."""
    from seq2seq.figures.thumbnails import bars_thumbnail, matrix_thumbnail, states_thumbnail

    dark, course, tasks, inside, models = is_dark(), "", "", "", ""
    if trace is not None:
        inside = states_thumbnail(trace.encoder_states, dark)
        tasks = course = states_thumbnail(trace.decoder_states, dark)
        if trace.attention is not None:
            tasks = matrix_thumbnail(trace.attention.mean(axis=(1, 2), dtype="float32"), dark)
    scores = [catalogued().quality.get(name, 0.0) for name in checkpoints_for("translation")]
    if found := [score for score in scores if score > 0]:
        models = bars_thumbnail(found, dark)
    cards = st.columns(4)
    with cards[0], _card(course, "**Learn**: a claim, your prediction, and a model that decides"):
        page_link("pages/learn.py", "Course")
        page_link("pages/training.py", "Train a model now", start="1")
    with cards[1], _card(tasks, "**Explore a task**: the same pictures, and more, on real models"):
        page_link("pages/translation.py", "Translation", text=text)
        page_link("pages/summarization.py", "Summarization")
        page_link("pages/chatbot.py", "Chatbot")
        page_link("pages/speech.py", "Speech to text")
        page_link("pages/pronunciation.py", "Pronunciation")
    with cards[2], _card(inside, "**Look inside**: what a vector holds, and what attention adds"):
        page_link("pages/compare.py", "Compare architectures", sentence=text)
        page_link("pages/context_vector.py", "Context vector")
        page_link("pages/sentence_map.py", "Sentence map")
        page_link("pages/benchmarks.py", "Benchmarks")
    with cards[3], _card(models, "**Bring a model** of your own, from the Hub, or from a folder"):
        page_link("pages/models.py", "Models")


def _card(picture: str, title: str) -> DeltaGenerator:
    """Return a place for links in a card with a small picture."""
    card = st.container(border=True, height="stretch")
    with card.container(horizontal=True, vertical_alignment="center"):
        if picture:
            st.image(picture, width=96, alt="")
        st.markdown(title)
    return card.container(horizontal=True, gap="small")
