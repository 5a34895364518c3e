"""Models: those at hand, those of the Hub, and your own; what each is and what it can show."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Models")
st.markdown(
    "Every picture here works on any encoder-decoder of the families Marian, T5, BART, Pegasus, "
    "Blenderbot, mBART, M2M100, NLLB, Whisper and their relatives, and on the models that this "
    "project has trained."
)
name = ui.intake()
if name:
    ui.capabilities(name)
ui.model_list()
