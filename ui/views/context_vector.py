"""The vector of a sentence: looked at, as it builds up, changed and decoded."""

from __future__ import annotations

import numpy as np
import streamlit as st

from seq2seq.trace import Trace
from ui.components import copy_link
from ui.components.chart import chart
from ui.escape import plain
from ui.inputs.task_controls import checkpoint_picker, first_checkpoint
from ui.inputs.text_input import empty_state, examples, source_input
from ui.page import is_dark
from ui.runtime.cards import catalogued
from ui.runtime.model_loading import open_model
from ui.runtime.names import checkpoints_for
from ui.runtime.runs import Subject, run
from ui.terms import term_help
from ui.views.sentence_vectors import Sentences, draw_strips, vector
from ui.views.vector_edits import BLIND, changes

TASKS = ("translation", "spelling", "summarization", "chatbot")
EXAMPLES = ("The black cat sleeps on the old chair.", "How old are you?", "The cat sleeps.")


def context_vector_page(title: str, about: str) -> None:
    """Show the vectors of two sentences, how the first came about, and what a change does.

    about: what the page is for, under its title and the picker beside that.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="task_bar"):
        st.title(title, anchor=False, width="content")
        name = _checkpoint()
        copy_link()
    st.markdown(about)
    texts = _texts(name)
    if name is None:
        return
    if not texts["A"]:
        empty_state("Sentence A is empty: type one to see its vector.")
        return
    checkpoint = open_model(name)
    if checkpoint is None:
        return
    config = checkpoint.model.config
    if config.input == "audio":
        st.info("This is a speech model: choose one that reads text.", icon=":material/info:")
        return
    trace = run(Subject(name, texts["A"]))
    if trace is None:
        return
    vectors = {letter: vector(name, text) for letter, text in texts.items() if text}
    known = {letter: vector for letter, vector in vectors.items() if vector is not None}
    if "A" not in known:
        return
    for letter in ("B", "C"):
        for note in known[letter].notes if letter in known else ():
            st.info(plain(f"Sentence {letter}: {note}"), icon=":material/info:")
    sentences = Sentences(name, config, texts, known)
    _strips(sentences)
    _over_time(sentences, trace)
    st.subheader("Edit the vector and decode")
    if config.has_final_state:
        changes(sentences)
    else:
        st.info(
            "A Transformer has no final state: its decoder attends to one vector per source token, "
            "and those of two sentences do not pair up. Choose a recurrent model to edit a vector.",
            icon=":material/info:",
        )


def _checkpoint() -> str | None:
    asked = st.query_params.get("checkpoint")
    if first_checkpoint("translation") is None:
        return None
    names = list(dict.fromkeys(name for task in TASKS for name in checkpoints_for(task, asked)))
    if BLIND in names and BLIND in catalogued().embedded:
        names = [BLIND, *(name for name in names if name != BLIND)]
    return checkpoint_picker(names)


def _texts(name: str | None) -> dict[str, str]:
    offered = [*examples(name)[:3], *EXAMPLES[len(examples(name)[:3]) :]]
    texts = {}
    for column, letter, example in zip(st.columns(3), "ABC", offered, strict=True):
        with column:
            more = ", for A − B + C" if letter == "C" else ""
            given = source_input(f"Sentence {letter}{more}", letter.lower(), example, letter == "A")
        texts[letter] = " ".join(given.split())
    return texts


def _strips(sentences: Sentences) -> None:
    """Show the vectors of A and B and their difference."""
    from seq2seq.analysis.context_vector import cosine

    st.subheader("Context vector", help=term_help("context vector", "final state"))
    rows = [("A", sentences.vectors["A"].shown)]
    if sentences.config.has_final_state:
        said = "h_T, the encoder's final state"
        if sentences.config.directions == 2:
            said = "h_T: its first half is the forward state, its second half the backward state"
        said += "." if sentences.config.encoder_layers == 1 else ", of the top layer."
    else:
        said = (
            "A Transformer has no final state: each token has its own. This is their mean, which "
            "the decoder never uses."
        )
    if "B" in sentences.vectors:
        a, b = sentences.vectors["A"].shown, sentences.vectors["B"].shown
        rows.append(("B", b))
        if (a == b).all():
            said += " The sentences A and B have the same vector: their difference is 0."
        else:
            rows.append(("A − B", a - b))
            said += (
                f" Distance of A and B: {np.linalg.norm(a - b):.2f} (norm of A: "
                f"{np.linalg.norm(a):.2f}); cosine: {cosine(a, b):.3f}."
            )
    else:
        said += " Sentence B is empty: type one to see the difference."
    draw_strips("vector", rows, said)
    st.markdown(plain(f"{len(rows[0][1]):,} numbers, green above 0 and purple below. {said}"))


def _over_time(sentences: Sentences, trace: Trace) -> None:
    """Show the states over the source, and what each step of the output got of them."""
    from seq2seq import figures
    from seq2seq.figures.states import UNITS_UP_TO
    from seq2seq.figures.theme import LABELS_UP_TO

    st.subheader("Encoder states over time")
    parts = sentences.config.directions
    shown = min(trace.encoder_states.shape[1], UNITS_UP_TO)
    said = [f"The {shown} of {trace.encoder_states.shape[1]:,} units with the largest values."]
    if not sentences.config.has_final_state:
        said.insert(0, "The encoder state of each token, computed from all tokens.")
    elif parts == 2:
        said = ["h_t: the upper half of the units reads forward, the lower half backward."]
        said.append(f"Of each half, the {shown // 2} units with the largest values.")
    else:
        said.insert(
            0, "h_t after each token of A, from left to right; the last one is the context vector."
        )
    if len(trace.source) > LABELS_UP_TO:
        said.append(f"The first {LABELS_UP_TO} of {len(trace.source):,} tokens are drawn.")
    pictures = [("states", "source →", trace.encoder_states, trace.source.pieces, " ".join(said))]
    if trace.attention is not None:
        text = "c_t, the context vector of each decoding step."
        if not sentences.config.has_final_state:
            text = "c_t, the output of the decoder's top cross-attention layer at each step."
        pictures.append(("contexts", "output →", trace.contexts, trace.target.pieces, text))
    for column, (key, title, values, pieces, text) in zip(
        st.columns(len(pictures)), pictures, strict=True
    ):
        with column:
            st.markdown(plain(text))
            chart(
                key,
                figures.states.plain(values, pieces, title, parts, is_dark()),
                text,
                lambda values=values, pieces=pieces: figures.states_csv(values, pieces),  # type: ignore[misc]
            )
    if trace.attention is None:
        reads = (
            "reads h_T at every step" if sentences.config.context_at_every_step else "starts at h_T"
        )
        st.caption(f"Without attention, the decoder {reads} and gets none of the earlier states.")
