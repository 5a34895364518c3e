"""A forecast: its fan beside what came after, what each step looked at, and the instruments."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq.data.frequency import frequency
from seq2seq.data.series import Series
from seq2seq.trace import Trace
from ui.components import clicked, copy_link
from ui.components.chart import chart
from ui.escape import plain
from ui.inputs.series_input import series_choice, series_input
from ui.inputs.task_controls import first_checkpoint, saved_run_picker
from ui.instruments import instruments
from ui.instruments.selection import select_step
from ui.links import URL
from ui.page import is_dark
from ui.runtime.names import card_of, checkpoints_for
from ui.runtime.runs import Subject, derive, reopen, show_notes, subject_of

if TYPE_CHECKING:
    from seq2seq.analysis.backtest import Backtest
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.inference.forecasting import ForecastOptions

TASK = "forecasting"
LEAST_CONTEXT, MOST_CONTEXT, MOST_HORIZON = 8, 512, 64
MEAN = "mean"


def forecasting_page() -> None:
    """Show the controls, the forecast of the chosen series, and the instruments of one path."""
    asked = st.query_params.get("checkpoint")
    if first_checkpoint(TASK) is None:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = checkpoints_for(TASK, asked)
        name = st.selectbox("Checkpoint", names, key="checkpoint", **URL)
        chosen = series_choice()
        saved = saved_run_picker()
        copy_link()
    if saved is not None:
        if trace := reopen(saved, TASK):
            instruments(subject_of(trace), trace)
        return
    series = series_input(chosen)
    if series is None:
        return
    show_notes(series.notes)
    horizon, hide, options = _settings(name, series)
    _show(name, series, horizon, hide, options)


def _usual_temperature(name: str) -> float:
    card = card_of(name)
    return card.decoding.temperature if card else 1.0


def _settings(name: str, series: Series) -> tuple[int, bool, ForecastOptions]:
    """Let the visitor choose horizon, backtest, context and sampling."""
    from seq2seq.inference.forecasting import ForecastOptions

    usual = frequency(series.frequency)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        horizon = int(
            st.number_input(
                "Horizon",
                1,
                MOST_HORIZON,
                min(usual.horizon, max(1, len(series) // 3)),
                key="horizon",
                help=f"Steps to forecast; {usual.horizon} are usual for {usual.title} series.",
                **URL,
            )
        )
        context = int(
            st.number_input(
                "Context",
                LEAST_CONTEXT,
                MOST_CONTEXT,
                usual.context,
                key="context",
                help="Last values that the model reads, at most.",
                **URL,
            )
        )
        samples = int(st.number_input("Samples", 1, 200, 100, key="samples", **URL))
        temperature = st.number_input(
            "Temperature", 0.1, 2.0, _usual_temperature(name), 0.1, key="temperature", **URL
        )
        seed = int(st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", **URL))
        hide = st.toggle(
            "Hide the last values",
            True,
            key="hide",
            help="Forecast values that are known, and compare.",
            **URL,
        )
    return horizon, hide, ForecastOptions(samples, temperature, 0, seed, context)


def _show(name: str, series: Series, horizon: int, hide: bool, options: ForecastOptions) -> None:
    """Forecast, and show the answer with the instruments of one sampled path."""
    whole = Subject(name, f"{series.frequency} {series.text}")

    def work(checkpoint: Checkpoint, _: Any) -> Backtest:
        from seq2seq.analysis.backtest import backtest

        return backtest(checkpoint, series, horizon, options, hide)

    tested = derive(whole, ("backtest", horizon, hide, options), work)
    if tested is None:
        return
    trace = tested.forecast.trace
    assert trace is not None
    _scores(tested)
    subject = Subject(name, tested.forecast.read.text, replace(trace.options))
    instruments(subject, trace, partial(_read, tested), is_answer=True)


def _scores(tested: Backtest) -> None:
    """Say how good the forecast is where the values are known."""
    if tested.scores is None or tested.naive_scores is None:
        return
    ours, naive = tested.scores, tested.naive_scores
    with st.container(horizontal=True):
        st.metric(
            "MASE",
            f"{ours.mase:.2f}",
            f"seasonal naive {naive.mase:.2f}",
            delta_color="off",
            delta_arrow="off",
            help="Mean absolute error of the median, in units of the error that repeating the last "
            "season makes inside the history. Smaller is better.",
            width="content",
        )
        st.metric(
            "Inside the 80 % interval",
            f"{ours.covered:.0%}",
            f"seasonal naive {naive.covered:.0%}",
            delta_color="off",
            delta_arrow="off",
            help="Share of the values held back that lie in the interval; 80 % would be right.",
            width="content",
        )
        st.metric(
            "WQL",
            f"{ours.wql:.3f}",
            f"seasonal naive {naive.wql:.3f}",
            delta_color="off",
            delta_arrow="off",
            help="Weighted quantile loss: how far the values lie from nine quantiles, over the sum "
            "of the values. Smaller is better.",
            width="content",
        )


def _read(tested: Backtest, subject: Subject, shown: Trace, step: int, word: int | None) -> None:
    """Show series, fan and attention on one time axis, and the probabilities over values."""
    from seq2seq import figures

    step = min(step, tested.horizon - 1)
    fan = st.container()
    layer, head = _attention_choice(shown)
    drawn = figures.forecast(tested, step, layer, head, is_dark())
    median = tested.forecast.median[step]
    described = (
        f"A series of {len(tested.history):,} values and its forecast over {tested.horizon} steps; "
        f"step {step + 1} has the median {median:.4g}."
    )
    table = partial(figures.forecast_csv, tested)
    with fan:
        chart("forecast", drawn, described, table, partial(_select, "forecast"))
    looked = "" if shown.attention is None else "the blue area shows what this step looked at; "
    st.caption(
        plain(
            f"Step {step + 1}: median {median:.4g}. The fan is of {len(tested.forecast.paths)} "
            f"sampled paths; {looked}click a point of the forecast for another step."
        )
    )
    drawn = figures.value_probabilities(tested, step, is_dark())
    described = f"Probability of each value at each of {tested.horizon} steps."
    chart("values", drawn, described, None, partial(_select, "values"))
    st.caption(
        "Probability over values at each step, averaged over the sampled paths; the line is the "
        "most probable of some more, which the instruments below look into."
    )


def _select(key: str) -> None:
    if place := clicked(key):
        select_step(int(place[0]))


def _attention_choice(trace: Trace) -> tuple[int | None, int | None]:
    """Let the visitor choose whose attention is drawn; the mean of all heads to begin with."""
    if trace.attention is None:
        return None, None
    layers, heads = trace.attention.shape[1:3]
    if layers * heads == 1:
        return None, None
    names = [MEAN, *(f"{a + 1}.{b + 1}" for a in range(layers) for b in range(heads))]
    chosen = st.selectbox("Attention of layer.head", names, key="looker", width=200, **URL)
    if chosen == MEAN:
        return None, None
    layer, head = (int(part) - 1 for part in chosen.split("."))
    return layer, head
