"""A vector as a strip of cells, one for each of its units."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from seq2seq.figures.csv_table import table
from seq2seq.figures.label_margins import fit
from seq2seq.figures.theme import figure, palette, signed_key
from seq2seq.trace import Trace

IN_A_ROW = 64


def context(trace: Trace, step: int = 0, dark: bool = False) -> go.Figure:
    """Draw the context vector of a step, in reading order; the scale is symmetric around 0.

    Without attention the vector is the same at every step: all that the decoder sees.
    """
    colours, values = palette(dark), trace.contexts[step].astype(np.float32)
    across = min(IN_A_ROW, len(values))
    down = -(-len(values) // across)
    cells = np.full(down * across, np.nan, dtype=np.float32)
    cells[: len(values)] = values
    units = np.arange(1, len(cells) + 1).reshape(down, across)
    most = max(float(np.abs(values).max()), 1e-6)
    drawn = figure(
        colours,
        height=70 + 22 * down,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={
            "title": {"text": signed_key(most, colours), "standoff": 4, "font": {"size": 12}},
            "showticklabels": False,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
        yaxis={
            "tickmode": "array",
            "tickvals": list(range(down)),
            "ticktext": [f"{row * across + 1}" for row in range(down)],
            "range": [down - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
    )
    drawn.add_trace(
        go.Heatmap(
            z=np.round(cells, 4).reshape(down, across),
            zmin=-most,
            zmax=most,
            colorscale=[list(stop) for stop in colours.diverging],
            xgap=1,
            ygap=1,
            text=units.tolist(),
            hovertemplate="unit %{text}: %{z:.3f}<extra></extra>",
            hoverongaps=False,
            showscale=False,
        )
    )
    return fit(drawn)


def context_csv(trace: Trace) -> str:
    """Return the context vectors as CSV, a line for each step and unit, both from 1."""
    rows = (
        (step + 1, unit + 1, f"{value:.6f}")
        for (step, unit), value in np.ndenumerate(trace.contexts.astype(np.float32))
    )
    return table(("step", "unit", "value"), rows)
