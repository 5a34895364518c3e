"""Context vector: the one vector of a sentence, and what is written from it once it is changed."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Context vector")
st.markdown(
    "A recurrent encoder reads a sentence into one vector, its last state h_T. Without attention "
    "that vector is all that the decoder ever knows of the sentence: look at it, change it, and "
    "see what is written then."
)
ui.context_vector_page()
