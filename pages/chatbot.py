"""Chatbot: say something; see the reply, and which of your words it looked at."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Chatbot")
ui.text_task(
    "chatbot",
    "You say",
    "Nothing said yet: type a sentence and press Enter.",
)
