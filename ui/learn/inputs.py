"""The sentence and the model of a lesson, both in the address."""

from __future__ import annotations

from collections.abc import Container

import streamlit as st

from seq2seq.lessons.lesson import Lesson
from ui.components.chart import as_key
from ui.escape import quoted
from ui.inputs.text_input import empty_state
from ui.links import URL
from ui.runtime.names import labels

MAX_SENTENCE = 300  # characters


def model_key(lesson: Lesson) -> str:
    """Return the key of a lesson's model, in the session and the address."""
    return f"{as_key(lesson.name)}_model"


def sentence_key(lesson: Lesson) -> str:
    """Return the key of a lesson's sentence, in the session and the address."""
    return f"{as_key(lesson.name)}_sentence"


def as_it_stands(lesson: Lesson, query: dict[str, str]) -> dict[str, str]:
    """Return what a link of a lesson sets, with the sentence, model and step that stand there now.

    query: what it sets before anything was changed.
    """
    stands = st.session_state
    text, model = stands.get(sentence_key(lesson)), stands.get(model_key(lesson))
    step = stands.get(f"{as_key(lesson.name)}_step")
    for name in ("text", "sentence"):
        if name in query and text and text.strip():
            query[name] = " ".join(text.split())
    if "reference" in query and stands.get("reference"):
        query["reference"] = stands["reference"]
    if "checkpoint" in query and model:
        query["checkpoint"] = model
        if step and "text" in query:
            query["step"] = str(step)
    return query


def check_link(key: str, allowed: Container[object], named: str) -> None:
    """Say in one sentence that a link asks for what there is not; the widget then takes its own.

    To be called before the widget, which removes what it cannot take from the address.
    """
    asked = st.query_params.get(key, "")
    known = asked in allowed or (asked.isdecimal() and int(asked) in allowed)
    if asked and not known:
        st.warning(
            f"This link asks for the {named} {quoted(asked[:60])}, which this lesson does not "
            "have: choose one here.",
            icon=":material/warning:",
        )


def check_sentence(lesson: Lesson) -> None:
    """Say in one sentence that a link brings a text that is too long for a lesson."""
    count = len(st.query_params.get(sentence_key(lesson), ""))
    if count > MAX_SENTENCE:
        st.warning(
            f"The sentence of this link has {count:,} characters: type one of at most "
            f"{MAX_SENTENCE}.",
            icon=":material/warning:",
        )


def sentence_and_model(
    lesson: Lesson, sentence: str, models: tuple[str, ...] = ()
) -> tuple[str, str]:
    """Let the visitor type a sentence, "" if there is none, and choose a model of several."""
    called = labels(models)
    check_sentence(lesson)
    if len(models) > 1:
        check_link(model_key(lesson), list(called.values()), "model")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Sentence", sentence, MAX_SENTENCE, key=sentence_key(lesson), autocomplete="off", **URL
        )
        model = models[0] if models else ""
        if len(models) > 1:
            model = st.selectbox(
                "Model",
                models,
                format_func=called.__getitem__,
                key=model_key(lesson),
                width=450,
                **URL,
            )
    text = " ".join((text or "").split())
    if not text:
        empty_state("Nothing to read yet: type a sentence and press Enter.")
    return text, model


def sentence_of(lesson: Lesson, first: str) -> str:
    """Return the sentence that stands in a lesson."""
    return " ".join(st.session_state.get(sentence_key(lesson), first).split())


def model_of(lesson: Lesson, first: str) -> str:
    """Return the model that is chosen in a lesson."""
    return st.session_state.get(model_key(lesson), first)
