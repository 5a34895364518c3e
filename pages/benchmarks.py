"""Measured: what takes many sentences or a whole training; at the end, two things measured now."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Benchmarks")
st.markdown(
    "What one sentence cannot show: how models compare over many, and what their training took. "
    "Those numbers were measured on real runs and lie beside the weights: `evaluation.json`, which "
    "`python -m seq2seq assess` measures anew; `training.jsonl`, written by `train`; and "
    "`studies.json`, written by `study`. At the end, two things are measured while you wait: the "
    "bottleneck, and what a wider beam costs."
)
ui.benchmarks_page()
