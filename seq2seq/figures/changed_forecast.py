"""A forecast before and after a change to the past, and forecasts from several origins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, scatter
from seq2seq.figures.forecast import BLUE, GOLD, band, time_axis_of, times_of
from seq2seq.figures.theme import figure, legend, margins, palette, value_axis

if TYPE_CHECKING:
    from seq2seq.analysis.backtest import Backtest

HEIGHT, INTERVAL = 320, 0.8


@Picture
def changed_forecast(before: Backtest, after: Backtest, dark: bool = False) -> Drawing:
    """Draw a forecast, and that of the same series with another past.

    A page may let the history's points be moved: each says how many values it is from the end.
    """
    colours = palette(dark)
    (past, ahead), green = times_of(before), colours.mark
    drawn = _canvas(before, dark)
    drawn.add_trace(band(before, INTERVAL, GOLD[dark], 0.25, name="80 % interval before"))
    drawn.add_trace(band(after, INTERVAL, green, 0.25, name="80 % interval after"))
    from_end = np.arange(len(past), 0, -1)[:, None]
    changed = np.where(_differ(before.history, after.history), after.history, np.nan)
    for name, x, y, line in (
        ("history", past, before.history, {"color": BLUE[dark]}),
        ("changed values", past, changed, {"color": green, "width": 3}),
        ("median before", ahead, before.forecast.median, {"color": GOLD[dark], "width": 2.5}),
        ("median after", ahead, after.forecast.median, {"color": green, "width": 2.5}),
    ):
        mode = "lines+markers" if name == "changed values" else "lines"
        moves = {"meta": "draggable", "customdata": from_end} if name == "history" else {}
        drawn.add_trace(
            scatter(x=x, y=y, name=name, mode=mode, line=line, hovertemplate="%{y:.4g}", **moves)
        )
    return drawn


def _differ(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    return (before != after) & ~(np.isnan(before) & np.isnan(after))


def changed_forecast_csv(before: Backtest, after: Backtest) -> str:
    """Write the medians and 80 % intervals before and after: a row a step."""
    heads = [f"{name} {when}" for when in ("before", "after") for name in ("0.1", "0.5", "0.9")]
    both = [each.forecast.quantiles[:, [0, 4, 8]] for each in (before, after)]
    rows = np.concatenate(both, axis=1).tolist()
    return table(["step", *heads], [[step, *row] for step, row in enumerate(rows, start=1)])


@Picture
def rolling_forecasts(tests: Sequence[Backtest], dark: bool = False) -> Drawing:
    """Draw forecasts from several origins, the oldest first, over the series as it went on."""
    last = tests[-1]
    drawn = _canvas(last, dark)
    past, ahead = times_of(last)
    known = past if last.actual is None else past + ahead
    values = last.history if last.actual is None else np.append(last.history, last.actual)
    gap = len(last.history)
    for number, each in enumerate(tests):
        # Steps are counted from the last origin; dates are the same for all.
        behind = 0 if each.dates else gap - len(each.history)
        first, shown = number == 0, {"legendgroup": "forecasts"}
        area = band(each, INTERVAL, GOLD[dark], 0.3, showlegend=first, **shown)
        when = [x - behind for x in times_of(each)[1]] if behind else times_of(each)[1]
        drawn.add_trace(area | {"x": when + when[::-1]})
        drawn.add_trace(
            scatter(
                x=when, y=each.forecast.median, name="median forecast", mode="lines",
                line={"color": GOLD[dark], "width": 2.5}, showlegend=first,
                hovertemplate="%{y:.4g}",
            )
        )  # fmt: skip
    drawn.add_trace(
        scatter(
            x=known,
            y=values,
            mode="lines",
            name="series",
            line={"color": BLUE[dark]},
            hovertemplate="%{y:.4g}",
        )
    )
    return drawn


def rolling_forecasts_csv(tests: Sequence[Backtest]) -> str:
    """Write the scores of each origin beside seasonal naive's: a row an origin."""
    names = ["MASE", "WQL", "inside 80 %"]
    rows = [
        [len(each.history), *(getattr(kind, name) for kind in (each.scores, each.naive_scores)
                              for name in ("mase", "wql", "covered"))]
        for each in tests
        if each.scores is not None
    ]  # fmt: skip
    return table(["values known", *names, *(f"{name}, seasonal naive" for name in names)], rows)


def _canvas(tested: Backtest, dark: bool) -> Drawing:
    colours = palette(dark)
    return figure(
        colours,
        height=HEIGHT,
        margin=margins(l=64, r=16, t=32),
        showlegend=True,
        legend=legend(1.02, yanchor="bottom", x=0),
        hovermode="x unified",
        xaxis=time_axis_of(tested, colours),
        yaxis=value_axis(colours, "value"),
    )
