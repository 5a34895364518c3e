"""A forecast: its fan beside what came after, what each step looked at, and the instruments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import streamlit as st

from seq2seq.data.series import Series
from seq2seq.errors import UserError
from seq2seq.trace import Trace
from ui.code_export import Named, draw
from ui.components import clicked, copy_link
from ui.components.chart import chart
from ui.escape import plain
from ui.inputs.forecast_settings import Sampling, horizon_input, sampling_settings
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
from ui.views.forecast_code import forecast_code

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
        sampling, other, interval = sampling_settings(name, names, series)
        saved = saved_run_picker()
        copy_link()
    if saved is not None:
        if trace := reopen(saved, TASK):
            instruments(subject_of(trace), trace, answer=_path if _is_path(trace) else None)
        return
    if series is not None:
        show_notes(series.notes)
        _show((name, other), series, horizon, hide, sampling, interval)


def _tested(
    name: str, series: Series, horizon: int, hide: bool, sampling: Sampling
) -> Backtest | None:
    """Forecast with a checkpoint, or say why it cannot."""

    def work(checkpoint: Checkpoint, _: Any) -> Backtest:
        from seq2seq.analysis.backtest import backtest

        return backtest(checkpoint, series, horizon, sampling.options(checkpoint), hide)

    subject = Subject(name, f"{series.frequency} {series.text}")
    return derive(subject, ("backtest", horizon, hide, sampling, series.start), work)


def _show(
    names: tuple[str, str | None],
    series: Series,
    horizon: int,
    hide: bool,
    sampling: Sampling,
    interval: float,
) -> None:
    """Forecast, and show the answer with the instruments of one sampled path.

    names: of the checkpoint, and of one to compare it with.
    """
    name, other = names
    tested = _tested(name, series, horizon, hide, sampling)
    if tested is None:
        return
    show_notes(tested.forecast.notes)
    found = _tested(other, series, horizon, hide, sampling) if other else None
    asked = Asked(
        name, series, tested, {other: found} if other and found else {}, sampling, interval
    )
    trace = tested.forecast.trace
    assert trace is not None
    subject = Subject(name, tested.forecast.read.text, trace.options)
    instruments(subject, trace, partial(_more, asked), partial(_fan, asked))


class Asked(NamedTuple):
    """A forecast, what it was asked with, and others beside it, by the names of their models."""

    name: str
    series: Series
    tested: Backtest
    others: Mapping[str, Backtest]
    sampling: Sampling
    interval: float

    def step(self, step: int) -> int:
        """Return a step of the sampled path as one of the forecast, which may be shorter."""
        return min(step, self.tested.horizon - 1)


def _more(asked: Asked, *view: Any) -> None:
    """Show scores, probabilities over values, and what else can be asked."""
    _scores(asked.name, asked.tested, asked.others)
    _values(asked.tested, asked.step(view[2]))
    change_section(asked.name, asked.series, asked.tested, asked.sampling)
    rolling_section(asked.name, asked.series, asked.tested.horizon, asked.sampling)


def _fan(asked: Asked, *view: Any) -> None:
    """Show series, fan and attention on one time axis."""
    from seq2seq import figures

    tested, shown, step = asked.tested, view[1], asked.step(view[2])
    place = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer, head = _attention_choice(shown)
        st.caption(plain(_in_words(asked, shown, step)))
    arguments = f"series, {tested.horizon}, options, {tested.actual is not None}"
    medians = {
        each: Named(f"backtest(seq2seq.load({each!r}), {arguments}).forecast.median", other)
        for each, found in asked.others.items()
        if (other := found.forecast.median) is not None
    }
    settings = {"others": medians} if medians else {}
    named = forecast_code(asked.series, tested, asked.sampling)
    drawn = draw(
        figures.forecast, named, step, layer, head, is_dark(), interval=asked.interval, **settings
    )
    described = (
        f"A series of {len(tested.history):,} values and its forecast over {tested.horizon} steps; "
        f"step {step + 1} has the median {tested.forecast.median[step]:.4g}."
    )
    table = partial(figures.forecast_csv, tested, asked.interval)
    with place:
        chart("forecast", drawn, described, table, partial(_select, "forecast"))


def _is_path(trace: Trace) -> bool:
    """Say whether a saved run is of a series; those of other tasks can be opened here too."""
    from seq2seq.figures.forecast_path import path_values

    if trace.task != TASK:
        return False
    try:
        path_values(trace)
    except UserError:  # a file that somebody has changed
        return False
    return True


def _path(subject: Subject, shown: Trace, step: int, word: int | None) -> None:
    """Show a path that a saved run holds; the fan, which it was sampled beside, it does not."""
    from seq2seq import figures

    place = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer, head = _attention_choice(shown)
        st.caption(
            "One path that was sampled beside the fan, whose own paths are not in the file. Click "
            "a point of it for another step."
        )
    drawn = draw(figures.forecast_path, Named("trace", shown), step, layer, head, is_dark())
    described = f"The values that were read, and a path of {len(shown.target)} steps after them."
    table = partial(figures.forecast_path_csv, shown)
    with place:
        chart("path", drawn, described, table, partial(_select, "path"))


def _in_words(asked: Asked, shown: Trace, step: int) -> str:
    """Say what the fan holds at a step, and what it was made of."""
    tested = asked.tested
    found, known = tested.forecast, len(tested.history)
    when = f", {_date(tested.dates, known + step)}" if tested.dates else ""
    ends = found.interval(asked.interval)
    share = f"{100 * asked.interval:.0f} %"
    looked = "" if shown.attention is None else " The blue area is what this step looked at."
    held = ""
    if tested.actual is not None:
        there = tested.actual[~np.isnan(tested.actual)]
        inside = (ends[:, 0] <= tested.actual) & (tested.actual <= ends[:, 1])
        held = f" {int(inside.sum())} of {len(there)} held-back values lie inside."
    return (
        f"Step {step + 1}{when}: median {found.median[step]:.4g}, {share} interval "
        f"{ends[step, 0]:.4g} to {ends[step, 1]:.4g}.{held} Made of {len(found.paths)} sampled "
        f"paths from the last {len(found.read):,} of {known:,} values.{looked} Click a point of "
        "the forecast for another step."
    )


def _date(dates: Sequence[datetime], at: int) -> str:
    """Write a date, with its time of day where a day has several."""
    form = "%Y-%m-%d %H:%M" if (dates[1] - dates[0]).days < 1 else "%Y-%m-%d"
    return dates[at].strftime(form)


def _scores(name: str, tested: Backtest, others: Mapping[str, Backtest]) -> None:
    """Say how good the forecast is where the values are known, beside those of simple methods."""
    if tested.scores is None:
        return
    rows: dict[str, Scores | None] = {name: tested.scores}
    rows |= {each: found.scores for each, found in others.items()}
    rows |= {"seasonal naive": tested.naive_scores}
    rows |= {"exponential smoothing": tested.smoothed_scores}
    lines = [
        f"| {plain(each)} | {score_text(scores.mase)} | {score_text(scores.wql)} | "
        f"{100 * scores.covered:.0f} % |\n"
        for each, scores in rows.items()
        if scores is not None
    ]
    heads = "| | MASE | WQL | Inside the 80 % interval |\n| --- | ---: | ---: | ---: |\n"
    st.markdown(heads + "".join(lines), help=MEANING, width="content")


MEANING = """How the forecast meets the values held back.

- **MASE**: mean absolute error of the median, in units of the error that repeating the last season
  makes inside the history; – where that makes none. Smaller is better.
- **WQL**: weighted quantile loss, how far the values lie from nine quantiles, over the sum of the
  values. Smaller is better.
- **Inside the 80 % interval**: share of the values in it; 80 % would be right.

Seasonal naive repeats the last season. Exponential smoothing is ETS with additive errors, with a
damped trend and a season where they help."""


def _values(tested: Backtest, step: int) -> None:
    from seq2seq import figures

    drawn = draw(figures.value_probabilities, Named("tested", tested), step, is_dark())
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
