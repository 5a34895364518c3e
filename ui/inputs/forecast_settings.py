"""How far and how a series is forecast, and what with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from seq2seq.data.frequency import frequency
from seq2seq.data.series import Series
from ui.links import URL
from ui.runtime.model_store import models
from ui.runtime.names import card_of

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.inference.forecasting import ForecastOptions

LEAST_CONTEXT, MOST_CONTEXT, MOST_HORIZON = 8, 512, 64
SAMPLES = 20  # as the authors of Chronos draw
NOTHING = "nothing"
_USUAL = "usual_horizon"
INTERVALS = (50, 80, 90, 95, 99)  # per cent


class Sampling(NamedTuple):
    """How the visitor wants paths to be drawn; context 0 for as much as is usual."""

    samples: int
    temperature: float
    seed: int
    context: int

    def options(self, checkpoint: Checkpoint) -> ForecastOptions:
        """Return the options of a forecast: what the visitor cannot choose, as is usual."""
        from seq2seq.inference.forecasting import usual_options

        return replace(usual_options(checkpoint), **self._asdict())


def horizon_input(series: Series | None) -> tuple[int, bool]:
    """Let the visitor choose how much is forecast, and whether it is known."""
    usual = frequency(series.frequency if series else "")
    count = len(series) if series else MOST_HORIZON
    first = min(usual.horizon, max(1, count // 3))
    state = st.session_state
    # A field keeps its value when its default changes; one that nobody has changed follows it.
    if state.get("horizon") == state.get(_USUAL, first) != first:
        state["horizon"] = first
    state[_USUAL] = first
    horizon = st.number_input(
        "Horizon",
        1,
        MOST_HORIZON,
        first,
        key="horizon",
        width=130,
        help=f"Steps to forecast; {usual.horizon} are usual for {usual.title} series.",
        **URL,
    )
    hide = st.toggle(
        "Backtest",
        True,
        key="hide",
        help="Hide the last values, forecast them, and compare.",
        **URL,
    )
    return int(horizon), hide


def sampling_settings(
    name: str, names: list[str], series: Series | None
) -> tuple[Sampling, str | None, float]:
    """Let the visitor choose how paths are drawn, a model to compare with, and an interval.

    Returns None for no model, and the interval as a share.
    """
    usual = frequency(series.frequency if series else "").context
    with st.popover("Settings", icon=":material/tune:"):
        context = st.number_input(
            "Context",
            LEAST_CONTEXT,
            MOST_CONTEXT,
            None,
            key="context",
            placeholder="as is usual",
            help="How many of the latest values the model reads, at most; if left empty, "
            f"{usual} for one of ours, for others as many as they were made for.",
            **URL,
        )
        samples = st.number_input("Samples", 1, 200, SAMPLES, key="samples", **URL)
        temperature = st.number_input(
            "Temperature", 0.1, 2.0, _usual_temperature(name), 0.1, key="temperature", **URL
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", **URL)
        other = st.selectbox(
            "Compare with",
            [NOTHING, *(each for each in names if each != name)],
            key="other",
            help="The median of another model is drawn as a line, and scored.",
            **URL,
        )
        interval = st.select_slider(
            "Interval",
            [f"{each} %" for each in INTERVALS],
            "80 %",
            key="interval",
            help="What the widest band of the fan holds; the three inside hold three quarters, "
            "half and a quarter of that.",
            **URL,
        )
    sampling = Sampling(int(samples), temperature, int(seed), int(context or 0))
    return sampling, None if other == NOTHING else other, int(interval.split()[0]) / 100


def _usual_temperature(name: str) -> float:
    loaded = models().loaded.get(name)
    if loaded:
        return loaded.generation_config.options.temperature
    card = card_of(name)
    return card.decoding.temperature if card else 1.0
