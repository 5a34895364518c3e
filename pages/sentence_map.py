"""Map of sentences: their vectors in two dimensions, and what neighbours have in common."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Sentence map")
st.markdown(
    "An encoder turns a sentence into a vector. Here are the vectors of some hundred sentences "
    "whose grammar is known: the closer two points, the more similar their vectors."
)
ui.sentence_map_page()
