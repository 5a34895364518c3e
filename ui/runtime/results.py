"""What was measured of the embedded models, read anew when it was written anew."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from seq2seq.evaluation.results import Measurements, read_measurements


@st.cache_resource(show_spinner=False, max_entries=32)
def results_of(name: str, folder: Path, written: tuple[int, ...]) -> Measurements:
    """Read what was measured of a model, anew when its files have been written anew."""
    return read_measurements(folder)._replace(name=name)
