"""Training lab: build an encoder-decoder, train it here, and watch attention appear."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Training lab")
ui.training_page()
