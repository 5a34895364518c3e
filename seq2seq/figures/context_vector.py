"""A vector as a strip of cells, one for each of its units."""

from __future__ import annotations

import numpy as np

from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import colour_cells
from seq2seq.figures.theme import axis, figure, palette, signed_key
from seq2seq.trace import Trace

IN_A_ROW = 64


@Picture
def context(trace: Trace, step: int = 0, dark: bool = False) -> Drawing:
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
        xaxis=axis(signed_key(most, colours), 4, size=12, showticklabels=False),
        yaxis=axis(
            tickmode="array",
            tickvals=list(range(down)),
            ticktext=[f"{row * across + 1}" for row in range(down)],
            range=[down - 0.5, -0.5],
        ),
    )
    drawn.add_trace(
        colour_cells(
            np.round(cells, 4).reshape(down, across),
            colours.diverging,
            (-most, most),
            xgap=1,
            ygap=1,
            text=units.tolist(),
            hovertemplate="unit %{text}: %{z:.3f}<extra></extra>",
            hoverongaps=False,
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
