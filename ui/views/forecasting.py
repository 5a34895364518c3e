"""A forecast: its fan beside what came after, what each step looked at, and the instruments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq.data.series import Series
from seq2seq.trace import Trace
from ui.components import clicked, copy_link
from ui.components.chart import chart
from ui.escape import plain
from ui.inputs.forecast_settings import SMOOTHING, Sampling, horizon_input, sampling_settings
from ui.inputs.series_input import series_choice, series_input
from ui.inputs.task_controls import (
    checkpoint_picker,
    first_checkpoint,
    saved_run_picker,
    warn_missing,
)
from ui.instruments import instruments
from ui.instruments.selection import select_step
from ui.links import URL
from ui.page import is_dark
from ui.runtime.names import checkpoints_for
from ui.runtime.runs import Subject, derive, reopen, show_notes, subject_of
from ui.views.forecast_changes import change_section, rolling_section, score_text

if TYPE_CHECKING:
    from seq2seq.analysis.backtest import Backtest
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.evaluation.forecast_metrics import Scores

TASK = "forecasting"
MEAN = "mean"


def forecasting_page(title: str) -> None:
    """Show the title, the controls, the forecast of a series, and the instruments of one path."""
    row = st.container(horizontal=True, vertical_alignment="center", key="task_bar")
    with row:
        st.title(title, anchor=False, width="content")
    asked, first = st.query_params.get("checkpoint"), first_checkpoint(TASK)
    if first is None:
        return
    names = checkpoints_for(TASK, asked)
    warn_missing(asked, first, names, TASK)
    with row:
        name = checkpoint_picker(names) or first
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = series_choice()
        how_far = st.container(horizontal=True, vertical_alignment="bottom", width="content")
    series = series_input(chosen)
    with how_far:
        horizon, hide = horizon_input(series)
    with row:
        sampling, other = sampling_settings(name, names, series)
        saved = saved_run_picker()
        copy_link()
    if saved is not None:
        if trace := reopen(saved, TASK):
            instruments(subject_of(trace), trace)
        return
    if series is not None:
        show_notes(series.notes)
        _show((name, other), series, horizon, hide, sampling)


def _tested(
    name: str, series: Series, horizon: int, hide: bool, sampling: Sampling, smooth: bool = False
) -> Backtest | None:
    """Forecast with a checkpoint, or say why it cannot."""

    def work(checkpoint: Checkpoint, _: Any) -> Backtest:
        from seq2seq.analysis.backtest import backtest

        options = sampling.options(checkpoint)
        return backtest(checkpoint, series, horizon, options, hide, smooth)

    subject = Subject(name, f"{series.frequency} {series.text}")
    return derive(subject, ("backtest", horizon, hide, sampling, series.start, smooth), work)


def _show(
    names: tuple[str, str | None], series: Series, horizon: int, hide: bool, sampling: Sampling
) -> None:
    """Forecast, and show the answer with the instruments of one sampled path.

    names: of the checkpoint, and of one to compare it with.
    """
    name, other = names
    smooth = other == SMOOTHING
    tested = _tested(name, series, horizon, hide, sampling, smooth)
    if tested is None:
        return
    found = _tested(other, series, horizon, hide, sampling) if other and not smooth else None
    others = {other: found} if other and found else {}
    trace = tested.forecast.trace
    assert trace is not None
    reader = partial(_read, name, series, tested, others, sampling)
    subject = Subject(name, tested.forecast.read.text, trace.options)
    instruments(subject, trace, reader, is_answer=True)


def _read(
    name: str,
    series: Series,
    tested: Backtest,
    others: Mapping[str, Backtest],
    sampling: Sampling,
    *view: Any,
) -> None:
    """Show series, fan and attention on one time axis, its scores, and what else can be asked."""
    _, shown, step, _ = view
    step = min(step, tested.horizon - 1)
    _fan(tested, shown, step, others)
    _scores(name, tested, others)
    _values(tested, step)
    change_section(name, series, tested, sampling)
    rolling_section(name, series, tested.horizon, sampling)


def _fan(tested: Backtest, shown: Trace, step: int, others: Mapping[str, Backtest]) -> None:
    from seq2seq import figures

    place = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer, head = _attention_choice(shown)
        median = tested.forecast.median[step]
        when = f", {tested.dates[len(tested.history) + step]:%Y-%m-%d}" if tested.dates else ""
        looked = "" if shown.attention is None else "the blue area is its attention; "
        st.caption(
            plain(
                f"Step {step + 1}{when}: median {median:.4g}. The fan is of "
                f"{len(tested.forecast.paths)} sampled paths; {looked}click a point of the "
                "forecast for another step."
            )
        )
    medians = {each: found.forecast.median for each, found in others.items()}
    drawn = figures.forecast.plain(tested, step, layer, head, is_dark(), medians)
    described = (
        f"A series of {len(tested.history):,} values and its forecast over {tested.horizon} steps; "
        f"step {step + 1} has the median {median:.4g}."
    )
    table = partial(figures.forecast_csv, tested)
    with place:
        chart("forecast", drawn, described, table, partial(_select, "forecast"))


def _scores(name: str, tested: Backtest, others: Mapping[str, Backtest]) -> None:
    """Say how good the forecast is where the values are known, beside those of simple methods."""
    from seq2seq.evaluation.exponential_smoothing import is_installed

    if tested.scores is None:
        return
    rows: dict[str, Scores | None] = {name: tested.scores}
    rows |= {each: found.scores for each, found in others.items()}
    rows |= {"seasonal naive": tested.naive_scores}
    rows |= {"exponential smoothing": tested.smoothed_scores}
    lines = [
        f"| {plain(each)} | {score_text(scores.mase)} | {score_text(scores.wql)} | "
        f"{scores.covered:.0%} |\n"
        for each, scores in rows.items()
        if scores is not None
    ]
    heads = "| | MASE | WQL | Inside the 80 % interval |\n| --- | ---: | ---: | ---: |\n"
    st.markdown(heads + "".join(lines), help=MEANING, width="content")
    if not is_installed():
        st.caption("Exponential smoothing is left out: it needs the Python package statsmodels.")
    elif tested.smoothed is None:
        st.caption("Exponential smoothing can be compared with, see Settings; it takes seconds.")


MEANING = """How the forecast meets the values held back.

- **MASE**: mean absolute error of the median, in units of the error that repeating the last season
  makes inside the history; – where that makes none. Smaller is better.
- **WQL**: weighted quantile loss, how far the values lie from nine quantiles, over the sum of the
  values. Smaller is better.
- **Inside the 80 % interval**: share of the values in it; 80 % would be right."""


def _values(tested: Backtest, step: int) -> None:
    from seq2seq import figures

    drawn = figures.value_probabilities.plain(tested, step, is_dark())
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
