"""Context vector: the vector of a sentence, edited and decoded."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Context vector")
st.markdown(
    "A recurrent encoder reads a sentence into one vector, its final state h_T. Without attention "
    "that context vector is all that the decoder gets of the sentence: inspect it, edit it, and "
    "decode from it."
)
ui.context_vector_page()
