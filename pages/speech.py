"""Speech: record or upload a sentence; see what was heard, and when."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Speech to text")
heard = ui.audio_input()
name, options, saved = ui.run_controls("speech")
ask = "Nothing heard yet: record a sentence, or upload one."
ui.show_recording(name, heard, options, saved, ask)
