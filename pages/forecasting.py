"""Forecasting: choose or bring a series; see its forecast, and which past each step looked at."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Forecasting")
ui.forecasting_page()
