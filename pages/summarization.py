"""Summarization: paste a paragraph; see the summary, and what of the text it was drawn from."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Summarization")
text_place, examples_place = st.container(), st.container()
name, options, saved = ui.run_controls("summarization")
with examples_place:
    ui.example_chips(name, "example", target="text")
with text_place:
    text = ui.source_area("English text", "text")
ui.show_run(name, text, options, saved, "Nothing to sum up yet: paste a paragraph.")
