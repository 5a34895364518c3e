"""Map of sentences: their vectors in two dimensions, and what neighbours have in common."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Sentence map")
st.markdown(
    "An encoder turns a sentence into a vector. Here are the vectors of some hundred sentences "
    "whose grammar is known. Similar vectors mostly lie close together; since a map cannot keep "
    "all distances, the list beside it names the nearest ones by their whole vectors."
)
ui.sentence_map_page()
