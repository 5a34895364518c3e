"""Translation: type a sentence; see the output, where the model looked, what else it considered."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Translation")
text_place, examples_place = st.container(), st.container()
name, options, saved = ui.run_controls("translation")
with examples_place:
    ui.example_chips(name, "example", target="text")
with text_place:
    text = ui.source_input("English sentence", "text")
ui.show_run(
    name,
    text,
    options,
    saved,
    "Nothing to translate yet: type a sentence and press Enter, or take an example.",
)
