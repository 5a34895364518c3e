"""Speech to text: record or upload a sentence; see the transcript and its alignment."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Speech to text")
heard = ui.audio_input()
name, options, saved = ui.run_controls("speech")
ask = "Record a sentence or upload a recording."
ui.show_run("speech", name, heard, options, saved, ask)
