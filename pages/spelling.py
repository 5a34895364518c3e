"""Spelling to sound: type a word; see its phonemes, and which letters each was read from."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Spelling to sound")
text_place, examples_place = st.container(), st.container()
name, options, saved = ui.run_controls("spelling")
with examples_place:
    ui.example_chips(name, "example", target="text")
with text_place:
    text = ui.source_input("English word, in small letters", "text")
ui.show_run(name, text, options, saved, "Nothing to say yet: type a word and press Enter.")
