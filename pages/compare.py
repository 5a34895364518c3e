"""Compare architectures: one sentence, several models side by side."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Compare architectures")
st.markdown(
    "The same sentence goes through several models. Without attention, the decoder gets one "
    "vector of the source; with attention, every step reads all encoder states again."
)
ui.compare_page()
