"""Map: where a model puts sentences, and what those that lie side by side have in common."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Sentence map")
st.markdown(
    "An encoder turns a sentence into numbers. Here are the vectors that a model makes of some "
    "hundred sentences whose grammar is known: the closer two points, the more alike the model "
    "finds them."
)
ui.sentence_map_page()
