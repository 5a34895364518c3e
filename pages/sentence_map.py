"""Map of sentences: their vectors in two dimensions, and what neighbours have in common."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Sentence map")
st.markdown(
    "An encoder turns a sentence into a vector. Here are the vectors of some hundred sentences "
    "whose grammar is known. Similar vectors mostly lie close together, but a map cannot keep all "
    "distances: choose a sentence to see its nearest neighbours by the whole vectors."
)
ui.sentence_map_page()
