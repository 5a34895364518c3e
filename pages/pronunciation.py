"""Pronunciation: type a word; see its phonemes and the letters each attends to."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Pronunciation")
ui.text_task(
    "spelling",
    "English word",
    "Type a word to pronounce and press Enter.",
    kind="word",
)
