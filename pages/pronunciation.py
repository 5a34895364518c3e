"""Pronunciation: type a word; see its phonemes, and which letters each was read from."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Pronunciation")
ui.text_task(
    "spelling",
    "English word",
    "Nothing to say yet: type a word and press Enter.",
    kind="word",
)
