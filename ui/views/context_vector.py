"""The vector of a sentence: looked at, as it builds up, changed and decoded."""

from __future__ import annotations

import numpy as np
import streamlit as st

from seq2seq.trace import Trace
from ui.components import copy_link
from ui.components.chart import chart
from ui.escape import plain
from ui.inputs.task_controls import first_checkpoint
from ui.inputs.text_input import empty_state, examples, source_input
from ui.links import URL
from ui.page import is_dark
from ui.runtime.cards import catalogued
from ui.runtime.model_loading import open_model
from ui.runtime.names import checkpoints_for
from ui.runtime.runs import Subject, run
from ui.views.sentence_vectors import Sentences, draw_strips, vector
from ui.views.vector_edits import BLIND, changes

TASKS = ("translation", "spelling", "summarization", "chatbot")
EXAMPLES = ("The black cat sleeps on the old chair.", "How old are you?", "The cat sleeps.")


def context_vector_page() -> None:
    """Show the vectors of two sentences, how the first came about, and what a change does."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = _checkpoint()
        copy_link()
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
        st.info("This model hears: choose one that reads text.", icon=":material/info:")
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
    st.subheader("Change it, and decode")
    if config.has_final_state:
        changes(sentences)
    else:
        st.info(
            "A Transformer hands over no last state: its decoder looks at as many vectors as the "
            "source has tokens, and those of two sentences do not pair up, so nothing is mixed "
            "here. A recurrent model has a vector to change.",
            icon=":material/info:",
        )


def _checkpoint() -> str | None:
    asked = st.query_params.get("checkpoint")
    if first_checkpoint("translation") is None:
        return None
    names = list(dict.fromkeys(name for task in TASKS for name in checkpoints_for(task, asked)))
    if BLIND in names and BLIND in catalogued().embedded:
        names = [BLIND, *(name for name in names if name != BLIND)]
    return st.selectbox("Checkpoint", names, key="checkpoint", **URL)


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

    st.subheader("The vector")
    rows = [("A", sentences.vectors["A"].shown)]
    if sentences.config.has_final_state:
        said = "h_T, the state after the last token"
        if sentences.config.directions == 2:
            said = "h_T: its first half was read forward, its second half backward"
        said += "." if sentences.config.encoder_layers == 1 else ", of the top layer."
    else:
        said = (
            "A Transformer has no last state: every token keeps a vector of its own. This is their "
            "mean, which no decoder ever sees."
        )
    if "B" in sentences.vectors:
        a, b = sentences.vectors["A"].shown, sentences.vectors["B"].shown
        rows.append(("B", b))
        if (a == b).all():
            said += " The sentences A and B have the same vector: their difference is 0."
        else:
            rows.append(("A − B", a - b))
            said += (
                f" Distance of A and B: {np.linalg.norm(a - b):.2f} (A itself is "
                f"{np.linalg.norm(a):.2f} long); cosine: {cosine(a, b):.3f}."
            )
    else:
        said += " Sentence B is empty: type one to see the difference."
    draw_strips("vector", rows, said)
    st.markdown(plain(f"{len(rows[0][1])} numbers, green above 0 and purple below. {said}"))


def _over_time(sentences: Sentences, trace: Trace) -> None:
    """Show the states over the source, and what each step of the output got of them."""
    from seq2seq import figures
    from seq2seq.figures.states import UNITS_UP_TO
    from seq2seq.figures.theme import LABELS_UP_TO

    st.subheader("How it builds up")
    parts = sentences.config.directions
    shown = min(trace.encoder_states.shape[1], UNITS_UP_TO)
    said = [f"The {shown} of {trace.encoder_states.shape[1]} units that reach furthest from 0."]
    if not sentences.config.has_final_state:
        said.insert(0, "The encoder's vector of each token, each made with all others in view.")
    elif parts == 2:
        said = ["h_t: the upper half of the units reads from the left, the lower from the right."]
        said.append(f"Of each half, the {shown // 2} units that reach furthest from 0.")
    else:
        said.insert(0, "h_t after each token of A, from left to right; the last is the vector.")
    if len(trace.source) > LABELS_UP_TO:
        said.append(f"Drawn are the first {LABELS_UP_TO} of {len(trace.source)} tokens.")
    pictures = [("states", "source →", trace.encoder_states, trace.source.pieces, " ".join(said))]
    if trace.attention is not None:
        text = "c_t, what each step of the output got of the source by attention: a vector a step."
        if not sentences.config.has_final_state:
            text = "c_t, what the attention of the decoder's top layer brought to each step."
        pictures.append(("contexts", "output →", trace.contexts, trace.target.pieces, text))
    for column, (key, title, values, pieces, text) in zip(
        st.columns(len(pictures)), pictures, strict=True
    ):
        with column:
            st.markdown(plain(text))
            chart(
                key,
                figures.states(values, pieces, title, parts, is_dark()),
                text,
                lambda values=values, pieces=pieces: figures.states_csv(values, pieces),  # type: ignore[misc]
            )
    if trace.attention is None:
        reads = (
            "reads h_T at every step" if sentences.config.context_at_every_step else "starts at h_T"
        )
        st.caption(f"Without attention, the decoder {reads} and sees none of the states before it.")
