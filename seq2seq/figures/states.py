"""Vectors in order as a heatmap: the units of a state after each token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import along, around, colour_cells, frame
from seq2seq.figures.theme import (
    LABELS_UP_TO,
    axis,
    escape,
    figure,
    margins,
    palette,
    signed_key,
    token_axis,
)
from seq2seq.trace import label

UNITS_UP_TO = 48


def strongest(values: np.ndarray, count: int = UNITS_UP_TO, parts: int = 1) -> np.ndarray:
    """Return the units of values (positions, units) that reach furthest from 0, in their order.

    parts: how many equal parts of the units have equally many of them.
    """
    reach = np.abs(values).max(axis=0)
    places = np.array_split(np.arange(len(reach)), parts)
    chosen = [place[np.argsort(-reach[place], kind="stable")[: count // parts]] for place in places]
    return np.sort(np.concatenate(chosen))


@Picture
def states(
    values: np.ndarray,
    pieces: Sequence[str],
    title: str,
    parts: int = 1,
    dark: bool = False,
    selected: int | None = None,
) -> Drawing:
    """Draw values (positions, units) with the tokens of the positions across, the units down.

    Of many units the strongest are drawn, of many positions the first; the scale is symmetric
    around 0. title: of the axis of tokens. parts: of the units, as `strongest` knows them.
    selected: the position whose column is framed, from 0.
    """
    colours = palette(dark)
    values = values[:LABELS_UP_TO].astype(np.float32)
    units, labels = strongest(values, parts=parts), [label(piece) for piece in pieces]
    labels = labels[:LABELS_UP_TO]
    most = float(np.abs(values).max()) or 1.0
    drawn = figure(
        colours,
        height=120 + 8 * len(units),
        margin=margins(r=30),
        hoverdistance=-1,
        xaxis=token_axis(labels, f"{title} ({signed_key(most, colours)})") | {"side": "top"},
        yaxis=_unit_axis(units),
    )
    drawn.add_trace(
        colour_cells(
            np.round(values[:, units].T, 3),
            colours.diverging,
            (-most, most),
            x0=1,
            y0=1,
            xgap=1,
            text=[[f"unit {unit + 1}, {escape(each)}" for each in labels] for unit in units],
            hovertemplate="%{text}: %{z:.3f}<extra></extra>",
        )
    )
    if selected is not None and selected < len(labels):
        drawn.add_shape(frame(around(selected), along(len(units)), colours.mark))
    return fit(drawn)


def _unit_axis(units: np.ndarray) -> dict[str, Any]:
    """Return the axis of units, each fourth with its number, from 1."""
    ticks = range(0, len(units), 4)
    return axis(
        "unit",
        4,
        tickmode="array",
        tickvals=[tick + 1 for tick in ticks],
        ticktext=[str(units[tick] + 1) for tick in ticks],
        tickfont={"size": 9},
        range=[len(units) + 0.5, 0.5],
    )


def states_csv(values: np.ndarray, pieces: Sequence[str]) -> str:
    """Return all values as CSV, a line for each position and unit, both from 1."""
    rows = (
        (position + 1, label(pieces[position]), unit + 1, f"{value:.6f}")
        for (position, unit), value in np.ndenumerate(values.astype(np.float32))
    )
    return table(("position", "token", "unit", "value"), rows)
