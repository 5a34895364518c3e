"""Chatbot: talk with a model; see which of the turns each token of a reply looked at."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Chatbot")
ui.chat_page("chatbot")
