"""What else a forecast can be asked: another past, and other origins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from seq2seq.data.series import Series
from seq2seq.data.series_edit import SeriesEdit
from seq2seq.errors import UserError
from ui.components import dragged
from ui.components.chart import chart
from ui.escape import plain
from ui.inputs.forecast_settings import Sampling
from ui.links import URL
from ui.page import is_dark
from ui.runtime.runs import OnPart, Subject, derive, derive_in_parts

if TYPE_CHECKING:
    from seq2seq.analysis.backtest import Backtest
    from seq2seq.checkpoint import Checkpoint

CHANGES = {"Scale by": "scale", "Shift by": "shift", "Set to": "set", "Hide": "hide"}
MOST_ORIGINS, ORIGINS = 12, 4


def change_section(name: str, series: Series, tested: Backtest, sampling: Sampling) -> None:
    """Let the visitor change the past, and show the forecast before and after."""
    section = st.expander(
        "What if the past had been different?", key="past", on_change="rerun", **URL
    )
    if not section.open:
        return
    with section:
        known = replace(series, values=tested.history.copy())
        try:
            edit = _edit(known)
            changed = edit.apply(known)
        except UserError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return

        def work(checkpoint: Checkpoint, _: Any) -> Backtest:
            from seq2seq.analysis.backtest import backtest

            made = sampling.options(checkpoint)
            return backtest(checkpoint, changed, tested.horizon, made, hide=False, record=False)

        subject = Subject(name, f"{series.frequency} {changed.text}")
        after = derive(subject, ("changed", tested.horizon, sampling, series.start), work)
        if after is not None:
            _before_and_after(tested, after)


def _edit(known: Series) -> SeriesEdit:
    """Let the visitor choose a window of the past, and what happens to it."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = CHANGES[st.selectbox("Change", list(CHANGES), key="change", **URL)]
        season = min(max(known.season, 6), len(known) - 2)
        first = st.number_input(
            "From value", 1, len(known), max(1, season), key="change_from", help=COUNTED, **URL
        )
        last = st.number_input("To value", 1, len(known), 1, key="change_to", help=COUNTED, **URL)
        amount = 0.0
        if kind != "hide":
            usual = {"scale": 1.5, "shift": float(np.nanstd(known.values))}
            usual["set"] = float(np.nanmean(known.values))
            amount = st.number_input(
                "Amount", value=float(f"{usual[kind]:.4g}"), key=f"change_{kind}", **URL
            )
    return SeriesEdit(kind, int(first), int(last), float(amount))


COUNTED = "Counted back from the last known value, which is 1."


def _before_and_after(before: Backtest, after: Backtest) -> None:
    from seq2seq.figures.changed_forecast import changed_forecast, changed_forecast_csv

    moved = after.forecast.median - before.forecast.median
    widths = [
        float((q[:, -1] - q[:, 0]).mean())
        for q in (before.forecast.quantiles, after.forecast.quantiles)
    ]
    said = (
        f"The median moves by {moved.mean():+.4g} on average, at most by "
        f"{moved[np.abs(moved).argmax()]:+.4g} at step {np.abs(moved).argmax() + 1}; the 80 % "
        f"interval is {widths[1]:.4g} wide on average; it was {widths[0]:.4g} before."
    )
    drawn = changed_forecast.plain(before, after, is_dark())
    table = partial(changed_forecast_csv, before, after)
    chart("changed", drawn, said, table, _set_dragged)
    st.caption(plain(f"{said} Drag a point of the history up or down to try another value."))


def _set_dragged() -> None:
    """Make the change that a visitor has made by dragging a value: it alone is set."""
    if found := dragged("changed"):
        place, value = found
        st.session_state["change"] = "Set to"
        st.session_state["change_from"] = st.session_state["change_to"] = int(place)
        # Streamlit writes a field into the address when a visitor changes it, not when it is new.
        if "change_set" not in st.session_state:
            st.query_params["change_set"] = f"{value:.4g}"
        st.session_state["change_set"] = float(f"{value:.4g}")


def rolling_section(name: str, series: Series, horizon: int, sampling: Sampling) -> None:
    """Let the visitor forecast from several origins, and show all with their mean scores."""
    section = st.expander("Rolling backtest", key="rolling", on_change="rerun", **URL)
    if not section.open:
        return
    with section:
        origins = st.number_input(
            "Origins",
            2,
            MOST_ORIGINS,
            ORIGINS,
            key="origins",
            width=160,
            help=f"Times at which the forecast begins, {horizon} values apart.",
            **URL,
        )

        def work(checkpoint: Checkpoint, on_part: OnPart) -> tuple[Backtest, ...]:
            from seq2seq.analysis.backtest import rolling_backtest

            made = sampling.options(checkpoint)
            return rolling_backtest(checkpoint, series, horizon, int(origins), made, on_part)

        subject = Subject(name, f"{series.frequency} {series.text}")
        what = ("rolling", horizon, int(origins), sampling, series.start)
        tests = derive_in_parts(subject, what, work, "origins")
        if tests:
            _rolling(tests)


def _rolling(tests: Sequence[Backtest]) -> None:
    from seq2seq.figures.changed_forecast import rolling_forecasts, rolling_forecasts_csv

    scored = [each for each in tests if each.scores is not None]
    described = f"Forecasts from {len(tests)} origins over the series as it went on."
    table = partial(rolling_forecasts_csv, tests)
    chart("rolling", rolling_forecasts.plain(tests, is_dark()), described, table)
    if scored:
        st.caption(plain(_means(scored)))


def _means(tests: Sequence[Backtest]) -> str:
    """Write the mean scores over origins, beside seasonal naive's."""

    def mean(kind: str, score: str) -> float:
        values = [getattr(getattr(each, kind), score) for each in tests]
        known = [value for value in values if not math.isnan(value)]
        return sum(known) / len(known) if known else math.nan

    mase, naive_mase, wql, naive_wql = (
        score_text(mean(kind, score))
        for score in ("mase", "wql")
        for kind in ("scores", "naive_scores")
    )
    inside, naive_inside = (mean(kind, "covered") for kind in ("scores", "naive_scores"))
    return (
        f"Mean over {len(tests)} origins: MASE {mase} (seasonal naive {naive_mase}), WQL {wql} "
        f"({naive_wql}), inside the 80 % interval {100 * inside:.0f} % "
        f"({100 * naive_inside:.0f} %)."
    )


def score_text(value: float) -> str:
    """Write a score; a dash for one that is not defined."""
    return "–" if math.isnan(value) else f"{value:#.3g}"
