"""What this is, on one screen: a live run, to be played."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Seq2Seq Explorer")
ui.start_page()
