"""Measured: what takes many sentences or a whole training; and what a wider beam costs, now."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Measured")
st.markdown(
    "What one sentence cannot show: how the models of one family compare over many, and what their "
    "training took. All were measured on real runs and lie as numbers beside the weights, in "
    "`evaluation.json`, `training.jsonl` and `studies.json`; `python -m seq2seq assess` measures "
    "them anew."
)
ui.measured_page()
