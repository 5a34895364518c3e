"""Summarization: paste a paragraph; see the summary and its attention to the text."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Summarization")
ui.text_task(
    "summarization",
    "English text",
    "Paste a text to summarize, or choose an example.",
    kind="paragraphs",
    read=ui.read_summary,
)
