"""Translation: type a sentence; see the output, where the model looked, what else it considered."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Translation")
ui.text_task(
    "translation",
    "English sentence",
    "Nothing to translate yet: type a sentence and press Enter, or take an example.",
)
