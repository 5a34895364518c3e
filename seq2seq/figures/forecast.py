"""A series with its forecast, a step's attention on the same time axis, and probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from seq2seq.analysis.attention_over_past import attention_to_values
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, Settings, heatmap, scatter
from seq2seq.figures.marks import upright
from seq2seq.figures.theme import Palette, escape, figure, legend, margins, palette, value_axis

if TYPE_CHECKING:
    from seq2seq.analysis.backtest import Backtest
    from seq2seq.trace import Trace

BLUE, GOLD = ("#1f5fa8", "#7ab6f5"), ("#a06a00", "#f0b95a")  # source and target, light and dark
NAIVE_DASH, SMOOTHED_DASH = "dot", "longdashdot"
# Heights of the two rows as shares, and the gap between them.
TOP, BOTTOM = (0.36, 1.0), (0.0, 0.28)
NO_OTHERS: Mapping[str, np.ndarray] = MappingProxyType({})
SHOWN_MASS = 0.98  # of each step's probability, so that far empty bins take no room
LEAST_SIGHT, PAST_TO_FAN = 24, 4  # values of the past in sight: at least, and to each of a fan
UNSEEN_ATTENTION = 0.05  # share of attention that may be out of sight to begin with
COUNTED = "steps from the last known value"  # title of an axis of time without dates
Times = tuple[list[Any], list[Any]]  # of the history and of the forecast
BANDS = 4  # of a fan, the widest first
MOST_CELLS = 160  # rows of values in the heatmap


@Picture
def forecast(
    tested: Backtest,
    step: int | None = None,
    layer: int | None = None,
    head: int | None = None,
    dark: bool = False,
    others: Mapping[str, np.ndarray] = NO_OTHERS,
    interval: float = 0.8,
) -> Drawing:
    """Draw a series, its forecast as a fan, the values held back, and what simple methods say.

    others: medians (horizon,) of other models, by name. interval: share of the fan's widest band.
    step: from 0; under the series, on the same axis, stands what it looked at. layer, head: whose
    attention, None for the mean. Time is of dates where they are known, else counted from the last
    known value, 0. To begin with, the part that the model has read is in sight. Each point of the
    forecast carries its step as custom data.
    """
    colours, trace = palette(dark), tested.forecast.trace
    attends = step is not None and trace is not None and trace.attention is not None
    drawn = canvas(colours, attends, time_axis_of(tested, colours))
    for part in range(BANDS):
        share = interval * (BANDS - part) / BANDS
        drawn.add_trace(band(tested, share, GOLD[dark], 0.22, showlegend=part == 0))
    _add_lines(drawn, tested, colours, dark)
    for name, median in others.items():
        line = {"color": colours.mark, "width": 2}
        drawn.add_trace(
            scatter(
                x=times_of(tested)[1],
                y=median,
                mode="lines",
                name=escape(name),
                line=line,
                hovertemplate="%{y:.4g}",
            )
        )
    if step is not None:
        ahead = times_of(tested)[1]
        mark_step(drawn, ahead[step], tested.forecast.median[step], step, dark)
    if attends and trace is not None and step is not None:
        weights = attention_to_values(trace, step, layer, head)
        add_attention(drawn, times_of(tested)[0], weights, dark)
    return drawn


def canvas(colours: Palette, attends: bool, time_axis: dict[str, Any]) -> Drawing:
    """Return an empty figure of values over time, with room for attention below if it attends."""
    drawn = figure(
        colours,
        height=440 if attends else 340,
        margin=margins(l=64, r=16, t=32),
        showlegend=True,
        legend=legend(1.02, yanchor="bottom", x=0),
        hovermode="x unified",
        xaxis=time_axis | {"anchor": "y2" if attends else "y"},
        yaxis=value_axis(colours, "value", domain=list(TOP) if attends else [0, 1]),
    )
    if attends:
        below = value_axis(colours, "attention", domain=list(BOTTOM), rangemode="tozero")
        drawn.layout["yaxis2"] = below
    return drawn


def times_of(tested: Backtest) -> Times:
    """Return when the values of history and forecast are: dates, or steps from the last known."""
    known = len(tested.history)
    if tested.dates:
        return list(tested.dates[:known]), list(tested.dates[known:])
    return list(range(1 - known, 1)), list(range(1, tested.horizon + 1))


def time_axis_of(tested: Backtest, colours: Palette) -> dict[str, Any]:
    """Lay out the axis of time, from the first value that matters to the forecast."""
    read, trace = len(tested.forecast.read), tested.forecast.trace
    title = "date" if tested.dates else COUNTED
    in_sight = range_in_sight(times_of(tested), read, trace)
    return value_axis(colours, title, range=in_sight)


def range_in_sight(times: Times, read: int, trace: Trace | None) -> list[Any]:
    """Return the first and the last time of the axis: see times_of.

    read: values of the past that the model has read.
    """
    past, ahead = times
    first = past[len(past) - _in_sight(read, len(ahead), trace)]
    return [first, ahead[-1] + (ahead[-1] - past[-1]) / max(8, len(ahead))]


def _in_sight(read: int, horizon: int, trace: Trace | None) -> int:
    """Return how many values of the past are in sight to begin with.

    Of those that were read, so many that they hold nearly all attention and the fan is not small
    beside them.
    """
    least = max(LEAST_SIGHT, PAST_TO_FAN * horizon)
    if trace is None or trace.attention is None:
        return min(read, least)
    weights = np.mean(
        [attention_to_values(trace, step) for step in range(len(trace.target))], axis=0
    )
    looked = np.cumsum(weights[::-1]) < (1 - UNSEEN_ATTENTION) * weights.sum()
    return min(read, max(least, int(looked.sum()) + 1))


def band(tested: Backtest, share: float, colour: str, opacity: float, **more: Any) -> Settings:
    """Return the area that holds a share of what is expected at each step."""
    ahead, ends = times_of(tested)[1], tested.forecast.interval(share)
    return scatter(
        x=ahead + ahead[::-1],
        y=np.concatenate([ends[:, 0], ends[::-1, 1]]),
        mode="lines",
        fill="toself",
        fillcolor=_faint(colour, opacity),
        line={"width": 0},
        hoverinfo="skip",
        **{"name": f"{share:.0%} interval".replace("%", " %"), **more},
    )


def _faint(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _add_lines(drawn: Drawing, tested: Backtest, colours: Palette, dark: bool) -> None:
    past, ahead = times_of(tested)
    steps = np.arange(tested.horizon)[:, None]
    naive = tested.naive[:, tested.naive.shape[1] // 2]
    dotted = {"color": colours.text, "dash": NAIVE_DASH, "width": 1.5}
    thick = {"color": GOLD[dark], "width": 2.5}
    lines: list[tuple] = [
        ("history", past, tested.history, {"color": BLUE[dark]}, None),
        ("seasonal naive", ahead, naive, dotted, None),
        ("median forecast", ahead, tested.forecast.median, thick, steps),
    ]
    if tested.actual is not None:
        dashed = {"color": BLUE[dark], "dash": "dash"}
        lines.append(("held back", ahead, tested.actual, dashed, None))
    if tested.smoothed is not None:
        other = {"color": colours.text, "dash": SMOOTHED_DASH, "width": 1.5}
        middle = tested.smoothed[:, tested.smoothed.shape[1] // 2]
        lines.append(("exponential smoothing", ahead, middle, other, None))
    for name, x, y, line, custom in lines:
        mode = "lines+markers" if custom is not None else "lines"
        drawn.add_trace(
            scatter(
                x=x, y=y, name=name, mode=mode, line=line, customdata=custom,
                marker={"size": 7}, hovertemplate="%{y:.4g}",
            )
        )  # fmt: skip


def mark_step(drawn: Drawing, time: Any, value: float, step: int, dark: bool) -> None:
    """Ring the point of the selected step."""
    drawn.add_trace(
        scatter(
            x=[time],
            y=[value],
            mode="markers",
            name=f"step {step + 1}",
            marker={"size": 14, "symbol": "circle-open", "color": GOLD[dark], "line": {"width": 3}},
            hoverinfo="skip",
            showlegend=False,
        )
    )


def add_attention(drawn: Drawing, past: Sequence[Any], weights: np.ndarray, dark: bool) -> None:
    """Draw what a step looked at of the last values of the past, which are at these times."""
    drawn.add_trace(
        scatter(
            x=past[-len(weights) :],
            y=weights,
            yaxis="y2",
            mode="lines",
            fill="tozeroy",
            fillcolor=_faint(BLUE[dark], 0.3),
            line={"color": BLUE[dark], "width": 1.5, "shape": "hvh"},
            name="attention",
            hovertemplate="%{y:.1%}",
            showlegend=False,
        )
    )


def forecast_csv(tested: Backtest, interval: float = 0.8) -> str:
    """Write the forecast as CSV: a row a step, with its quantiles and what it is compared with.

    interval: the share whose ends are written too.
    """
    rows = tested.forecast.quantiles
    count = rows.shape[1]
    held = np.full(tested.horizon, np.nan) if tested.actual is None else tested.actual
    columns = {f"quantile {(at + 1) / (count + 1):.1f}": rows[:, at] for at in range(count)}
    ends = tested.forecast.interval(interval)
    columns |= {f"{end} of {interval:.0%}": ends[:, at] for at, end in enumerate(("low", "high"))}
    columns |= {"held back": held, "seasonal naive": tested.naive[:, count // 2]}
    if tested.smoothed is not None:
        columns["exponential smoothing"] = tested.smoothed[:, count // 2]
    when = times_of(tested)[1]
    values = [
        [str(when[at]), *map(float, row)]
        for at, row in enumerate(zip(*columns.values(), strict=True))
    ]
    return table(["date" if tested.dates else "step", *columns], values)


@Picture
def value_probabilities(tested: Backtest, step: int | None = None, dark: bool = False) -> Drawing:
    """Draw how probable each value is at each step: a heatmap of value by step.

    Bins are those of the tokenizer, several of them to a row where they are many. The path that was
    recorded is a line. step: the selected one, from 0, framed.
    """
    colours, found = palette(dark), tested.forecast
    values, chances = _shown_bins(found.values, found.probabilities)
    steps = np.arange(1, tested.horizon + 1)
    scale = [list(stop) for stop in colours.probability]
    drawn = figure(
        colours,
        height=300,
        margin=margins(l=64, r=16, t=16, b=48),
        xaxis=value_axis(colours, "step"),
        yaxis=value_axis(colours, "value"),
    )
    drawn.add_trace(
        heatmap(
            x=steps, y=values, z=chances.T, colorscale=scale, showscale=False,
            customdata=np.tile(steps[:, None] - 1, (len(values), 1, 1)),
            hovertemplate="step %{x}, near %{y:.4g}: %{z:.1%}<extra></extra>",
        )
    )  # fmt: skip
    if found.trace is not None:
        drawn.add_trace(_path(found.trace, colours))
    if step is not None:
        drawn.add_shape(upright(step + 1, {"color": colours.mark, "width": 2}))
    return drawn


def _path(trace: Trace, colours: Palette) -> Settings:
    path = [float(word) for word in trace.text.split()]
    return scatter(
        x=np.arange(1, len(path) + 1),
        y=path,
        mode="lines+markers",
        line={"color": colours.mark, "width": 1.5},
        marker={"size": 5},
        hovertemplate="sampled path: %{y:.4g}<extra></extra>",
    )


def _shown_bins(values: np.ndarray, chances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut off bins that no step gives a chance, and join the others to at most MOST_CELLS rows."""
    below = chances.cumsum(axis=1)
    rest = (1 - SHOWN_MASS) / 2
    first = int((below > rest).argmax(axis=1).min())
    last = int((below > 1 - rest).argmax(axis=1).max()) + 1
    values, chances = values[first:last], chances[:, first:last]
    joined = -(-len(values) // MOST_CELLS)
    starts = np.arange(0, len(values), joined)
    middles = np.array([values[start : start + joined].mean() for start in starts])
    return middles, np.add.reduceat(chances, starts, axis=1)
