"""What this is, on one screen: a live run, to be played."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Seq2Seq Explorer")
st.markdown("Watch an **encoder-decoder** read a sentence and write another, token by token.")
ui.start_page()
