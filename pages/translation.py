"""Translation: type a sentence; see the output, its attention and the candidates."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Translation")
ui.text_task(
    "translation",
    "English sentence",
    "Type a sentence to translate and press Enter, or choose an example.",
)
