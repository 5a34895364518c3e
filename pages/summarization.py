"""Summarization: paste a paragraph; see the summary, and what of the text it was drawn from."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Summarization")
ui.text_task(
    "summarization",
    "English text",
    "Nothing to sum up yet: paste a paragraph, or take an example.",
    kind="paragraphs",
    read=ui.read_summary,
)
