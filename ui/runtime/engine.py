"""The engine that computes runs, where SEQ2SEQ_ENGINE names one that is not this process."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import streamlit as st

from ui.runtime.admission import admission
from ui.runtime.cards import catalogued
from ui.runtime.model_store import models

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seq2seq.serving.engine import Engine
    from seq2seq.serving.request import Request
    from seq2seq.trace import Trace

ADDRESS = "SEQ2SEQ_ENGINE"
PATIENCE = 0.4  # seconds a request may take before that is shown


@st.cache_resource(show_spinner=False)
def engine() -> Engine:
    """Return the engine that the environment names. Raises UserError where it does not answer."""
    from seq2seq.serving.engine import engine_of

    return engine_of(os.environ.get(ADDRESS, ""), models().get)


def is_served(name: str) -> bool:
    """Tell whether a model is run elsewhere: one of the catalogue that is at hand.

    What has to be fetched first is offered here, with its size, and never fetched there unasked.
    """
    return bool(os.environ.get(ADDRESS)) and name in catalogued().embedded


def served(request: Request, place: DeltaGenerator) -> Trace:
    """Return what another machine computes. Raises UserError.

    place: where a note stands if it takes long; touching it ends the run of a visitor who has left.
    """
    started = time.monotonic()

    def on_wait() -> None:
        if time.monotonic() - started > PATIENCE:
            place.caption("Another machine computes this.")

    with admission().outside():
        return engine().compute(request, on_wait)
