"""A reference that the model is made to read, beside what it writes freely."""

from __future__ import annotations

import streamlit as st

from seq2seq.lessons.foundations import FORCED_REFERENCE, FORCED_SENTENCE
from seq2seq.lessons.lesson import Lesson
from ui.code_export import begin_recording
from ui.instruments import teacher_forcing
from ui.instruments.selection import View
from ui.learn.inputs import model_of, sentence_and_model
from ui.page import page_visit
from ui.runtime.runs import Subject, run

MODEL = "bilstm-attention-en-fr"
_REFERENCE, _BEGUN = "reference", "reference begun"


def show(lesson: Lesson) -> None:
    """Ask for a sentence and a reference, and show how the model reads both."""
    text, _ = sentence_and_model(lesson, FORCED_SENTENCE)
    if not text:
        return
    if st.session_state.get(_BEGUN) != page_visit():
        st.session_state[_BEGUN] = page_visit()
        if _REFERENCE not in st.query_params:
            st.session_state[_REFERENCE] = FORCED_REFERENCE
    subject = Subject(model_of(lesson, MODEL), text)
    trace = run(subject)
    if trace is None:
        return
    begin_recording()
    teacher_forcing.show(View(subject, trace, "1", trace, {}, 0, None))
