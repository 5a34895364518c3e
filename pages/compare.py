"""Race: one sentence, several architectures side by side; what each writes, and how."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Compare architectures")
st.markdown(
    "The same sentence goes through several models. Without attention, all that the decoder has of "
    "the source is one vector; with it, every step may look again."
)
ui.compare_page()
