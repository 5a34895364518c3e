"""Speech: record or upload a sentence; see what was heard, and when."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Speech to text")
heard = ui.recording()
name, options, saved = ui.run_controls("speech")
ui.show_run(name, heard, options, saved, "Nothing heard yet: record a sentence, or upload one.")
