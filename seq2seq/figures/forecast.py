"""A series with its forecast, a step's attention on the same time axis, and probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from seq2seq.analysis.attention_over_past import attention_to_values
from seq2seq.figures.csv_table import table
from seq2seq.figures.theme import Palette, figure, legend, margins, palette, value_axis

if TYPE_CHECKING:
    from seq2seq.analysis.backtest import Backtest
    from seq2seq.trace import Trace

BLUE, GOLD = ("#1f5fa8", "#7ab6f5"), ("#a06a00", "#f0b95a")  # source and target, light and dark
NAIVE_DASH = "dot"
# Heights of the two rows as shares, and the gap between them.
TOP, BOTTOM = (0.36, 1.0), (0.0, 0.28)
SHOWN_MASS = 0.98  # of each step's probability, so that far empty bins take no room
MOST_CELLS = 160  # rows of values in the heatmap


def forecast(
    tested: Backtest,
    step: int | None = None,
    layer: int | None = None,
    head: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw a series, its forecast as a fan, the values held back, and seasonal naive.

    step: from 0; under the series, on the same axis, stands what it looked at. layer, head: whose
    attention, None for the mean. Time 0 is the last value known. Each point of the forecast carries
    its step as custom data.
    """
    colours, trace = palette(dark), tested.forecast.trace
    attends = step is not None and trace is not None and trace.attention is not None
    drawn = figure(
        colours,
        height=480 if attends else 360,
        margin=margins(l=64, r=16, t=32),
        showlegend=True,
        legend=legend(1.02, yanchor="bottom", x=0),
        hovermode="x unified",
        xaxis=value_axis(
            colours, "steps from the last known value", anchor="y2" if attends else "y"
        ),
        yaxis=value_axis(colours, "value", domain=list(TOP) if attends else [0, 1]),
    )
    _add_fan(drawn, tested, dark)
    _add_lines(drawn, tested, colours, dark)
    if step is not None:
        _mark_step(drawn, tested, step, dark)
    if attends and trace is not None and step is not None:
        weights = attention_to_values(trace, step, layer, head)
        drawn.update_layout(
            yaxis2=value_axis(colours, "attention", domain=list(BOTTOM), rangemode="tozero")
        )
        _add_attention(drawn, weights, step, dark)
    return drawn


def _add_fan(drawn: go.Figure, tested: Backtest, dark: bool) -> None:
    """Add bands of 80, 60, 40 and 20 %, the widest first."""
    ahead = np.arange(1, tested.horizon + 1)
    quantiles, gold = tested.forecast.quantiles, GOLD[dark]
    count = quantiles.shape[1]
    for low in range(count // 2):
        drawn.add_trace(
            go.Scatter(
                x=np.concatenate([ahead, ahead[::-1]]),
                y=np.concatenate([quantiles[:, low], quantiles[::-1, count - 1 - low]]),
                fill="toself",
                fillcolor=_faint(gold, 0.16),
                line={"width": 0},
                hoverinfo="skip",
                name="80 % interval" if low == 0 else f"{80 - 20 * low} % interval",
                showlegend=low == 0,
            )
        )


def _faint(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _add_lines(drawn: go.Figure, tested: Backtest, colours: Palette, dark: bool) -> None:
    past, ahead = np.arange(1 - len(tested.history), 1), np.arange(1, tested.horizon + 1)
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
    for name, x, y, line, custom in lines:
        mode = "lines+markers" if custom is not None else "lines"
        drawn.add_trace(
            go.Scatter(
                x=x, y=y, name=name, mode=mode, line=line, customdata=custom,
                marker={"size": 7}, hovertemplate="%{y:.4g}",
            )
        )  # fmt: skip


def _mark_step(drawn: go.Figure, tested: Backtest, step: int, dark: bool) -> None:
    """Ring the point of the selected step."""
    drawn.add_trace(
        go.Scatter(
            x=[step + 1],
            y=[tested.forecast.median[step]],
            mode="markers",
            name=f"step {step + 1}",
            marker={"size": 14, "symbol": "circle-open", "color": GOLD[dark], "line": {"width": 3}},
            hoverinfo="skip",
        )
    )


def _add_attention(drawn: go.Figure, weights: np.ndarray, step: int, dark: bool) -> None:
    drawn.add_trace(
        go.Scatter(
            x=np.arange(1 - len(weights), 1),
            y=weights,
            yaxis="y2",
            fill="tozeroy",
            fillcolor=_faint(BLUE[dark], 0.3),
            line={"color": BLUE[dark], "width": 1.5, "shape": "hvh"},
            name=f"attention of step {step + 1}",
            hovertemplate="%{y:.1%}",
        )
    )


def forecast_csv(tested: Backtest) -> str:
    """Write the forecast as CSV: a row a step, with its quantiles and what it is compared with."""
    rows = tested.forecast.quantiles
    count = rows.shape[1]
    names = [f"quantile {(at + 1) / (count + 1):.1f}" for at in range(count)]
    held = np.full(tested.horizon, np.nan) if tested.actual is None else tested.actual
    values = [
        [step + 1, *rows[step].tolist(), float(held[step]), float(tested.naive[step, count // 2])]
        for step in range(tested.horizon)
    ]
    return table(["step", *names, "held back", "seasonal naive"], values)


def value_probabilities(tested: Backtest, step: int | None = None, dark: bool = False) -> go.Figure:
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
        go.Heatmap(
            x=steps, y=values, z=chances.T, colorscale=scale, showscale=False,
            customdata=np.tile(steps[:, None] - 1, (len(values), 1, 1)),
            hovertemplate="step %{x}, near %{y:.4g}: %{z:.1%}<extra></extra>",
        )
    )  # fmt: skip
    if found.trace is not None:
        drawn.add_trace(_path(found.trace, colours))
    if step is not None:
        drawn.add_vline(step + 1, line={"color": colours.mark, "width": 2})
    return drawn


def _path(trace: Trace, colours: Palette) -> go.Scatter:
    path = [float(word) for word in trace.text.split()]
    return go.Scatter(
        x=np.arange(1, len(path) + 1),
        y=path,
        mode="lines+markers",
        line={"color": colours.mark, "width": 1.5},
        marker={"size": 5},
        hovertemplate="recorded path: %{y:.4g}<extra></extra>",
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
