"""Chatbot: say something; see the reply, and which of your words it looked at."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Chatbot")
text_place, examples_place = st.container(), st.container()
name, options, saved = ui.run_controls("chatbot")
with examples_place:
    ui.example_chips(name, "example", target="text")
with text_place:
    text = ui.source_input("You say", "text")
ui.show_run(name, text, options, saved, "Nothing said yet: type a sentence and press Enter.")
