"""Five well-known models, to be sorted by the halves that they have."""

from __future__ import annotations

import streamlit as st

from seq2seq.lessons.lesson import Lesson
from seq2seq.lessons.model_names import KINDS, MODELS, NamedModel
from ui.components.chart import as_key


def show(lesson: Lesson) -> None:
    """Ask what each model is, and say so after the answer."""
    right = sum([_ask(model) for model in MODELS])
    st.caption(f"{right} of {len(MODELS)} sorted.")


def _ask(model: NamedModel) -> bool:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        answer = st.segmented_control(model.name, KINDS, key=f"kind_{as_key(model.name)}")
        if answer is not None:
            said = "Right" if answer == model.kind else f"No: {model.name} is an {model.kind}"
            said = said.replace("an decoder", "a decoder")
            st.markdown(f"{said}, trained {model.trained} ({model.paper}).", width="content")
    return answer == model.kind
