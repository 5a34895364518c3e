"""Glossary: the terms and symbols of all pages, with their sources."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Glossary")
ui.glossary_page()
