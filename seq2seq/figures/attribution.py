"""The effect of source words on the output, by several measures, on the same axes."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, Settings, bar
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import BLUE, FRAME, along, around, colour_cells, frame, unseen_points
from seq2seq.figures.theme import (
    LABELS_UP_TO,
    Palette,
    escape,
    figure,
    legend,
    margins,
    palette,
    token_axis,
    value_axis,
)
from seq2seq.trace import Trace, label, words

SELECTED_UP_TO = 2_000  # cells over which there are points to click
GAP = 0.03  # between two panels, as a share of the picture
BARS = (BLUE, "#c98a1b")


@Picture
def attributions(
    trace: Trace,
    measures: dict[str, np.ndarray],
    selected: int | None = None,
    dark: bool = False,
) -> Drawing:
    """Draw measures (target, words) beside each other: their name above, output tokens downwards.

    A measure with values below 0 has colours that diverge around 0; each has a scale of its own.
    selected: the framed step, from 0. customdata of a point: row and column, from 0.
    """
    colours, columns = palette(dark), list(words(trace.source))
    rows = [label(piece) for piece in trace.target.pieces]
    drawn = figure(
        colours,
        height=130 + max(150, min(30 * len(rows), 900)),
        hoverdistance=-1,
        yaxis=token_axis(rows, "← output", downwards=True),
    )
    width = (1 - GAP * (len(measures) - 1)) / len(measures)
    for number, (name, values) in enumerate(measures.items()):
        axis, left = f"x{number + 1}" if number else "x", number * (width + GAP)
        drawn.layout[axis.replace("x", "xaxis")] = token_axis(
            columns, _wrapped(name), domain=[left, left + width], tickangle=-90, side="top"
        )
        drawn.add_trace(_heatmap(values, colours, axis))
        if values.size <= SELECTED_UP_TO:
            drawn.add_trace(_points(name, values, rows, columns, axis))
        if selected is not None:
            row = frame(along(len(columns)), around(selected), colours.mark, xref=axis)
            drawn.add_shape(row)
    return fit(drawn)


def _wrapped(name: str) -> str:
    """Return a name with a line for every word or two, as narrow as three panels are on a phone."""
    return "<br>".join(textwrap.wrap(escape(name), 12))


@Picture
def correlations(
    trace: Trace, by_pair: dict[str, np.ndarray], selected: int | None = None, dark: bool = False
) -> Drawing:
    """Draw rank correlations (target,) of each step, by the name of what is compared."""
    colours = palette(dark)
    labels = [label(piece) for piece in trace.target.pieces]
    drawn = figure(
        colours,
        height=320,
        margin=margins(t=52),
        barmode="group",
        bargap=0.25,
        showlegend=True,
        legend=legend(1, yanchor="bottom", itemclick=False),
        xaxis=token_axis(labels, "output →"),
        yaxis=value_axis(colours, "rank correlation", colours.text, range=[-1.05, 1.05]),
    )
    for (name, values), colour in zip(by_pair.items(), BARS, strict=False):
        edges = [FRAME if step == selected else 0 for step in range(len(values))]
        drawn.add_trace(
            bar(
                x=list(range(1, len(values) + 1)),
                y=np.round(values, 4),
                name=escape(name),
                marker={"color": colour, "line": {"color": colours.mark, "width": edges}},
                customdata=[[step] for step in range(len(values))],
                hovertext=[
                    f"{escape(token)}<br>{escape(name)}: {value:.2f}"
                    for token, value in zip(labels, values, strict=True)
                ],
                hoverinfo="text",
            )
        )
    return fit(drawn)


def attributions_csv(trace: Trace, measures: dict[str, np.ndarray]) -> str:
    """Return measures (target, words) as CSV, a line for each cell, positions from 1."""
    columns, pieces = words(trace.source), trace.target.pieces
    shape: tuple[int, int] = next(iter(measures.values())).shape
    rows = (
        (row + 1, pieces[row], column + 1, columns[column], *_at(measures.values(), row, column))
        for row in range(shape[0])
        for column in range(shape[1])
    )
    return table(("target_position", "target", "word_position", "word", *measures), rows)


def _at(measures: Any, row: int, column: int) -> list[str]:
    return [f"{values[row, column]:.6f}" for values in measures]


def _heatmap(values: np.ndarray, colours: Palette, axis: str) -> Settings:
    signed, most = bool((values < 0).any()), max(float(np.abs(values).max()), 1e-9)
    labelled = max(values.shape) <= LABELS_UP_TO
    return colour_cells(
        np.round(values, 4),
        colours.diverging if signed else colours.attention,
        (-most, most) if signed else (0, max(1.0, most)),
        x0=1,
        y0=1,
        xaxis=axis,
        xgap=int(labelled),
        ygap=int(labelled),
        hoverinfo="skip" if values.size <= SELECTED_UP_TO else None,
    )


def _points(
    name: str, values: np.ndarray, rows: Sequence[str], columns: Sequence[str], axis: str
) -> Settings:
    row, column = (index.ravel() for index in np.indices(values.shape))
    return unseen_points(
        column + 1,
        row + 1,
        xaxis=axis,
        customdata=np.stack([row, column], axis=1).tolist(),
        hovertext=[
            f"y{r + 1} <b>{escape(rows[r])}</b> ← <b>{escape(columns[c])}</b><br>"
            f"{escape(name)}: {values[r, c]:.3f}"
            for r, c in zip(row.tolist(), column.tolist(), strict=True)
        ],
        hoverinfo="text",
    )
