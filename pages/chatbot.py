"""Chatbot: talk with a model; see the effect and the attention of each turn."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Chatbot")
ui.chat_page("chatbot")
