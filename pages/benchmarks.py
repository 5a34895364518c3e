"""Benchmarks: results over many sentences and whole trainings, and two live experiments."""

import streamlit as st

import ui

ui.begin_page(__file__)
st.title("Benchmarks")
st.markdown(
    "How models compare over many sentences, and what their training took. The numbers were "
    "measured on real runs and are stored with the weights: `evaluation.json` by `python -m "
    "seq2seq assess`, `training.jsonl` by `train`, and `studies.json` by `ablate`. At the end, two "
    "experiments run live: the bottleneck, and the cost of a wider beam."
)
ui.benchmarks_page()
