"""Attention as a matrix: what was looked at across, who looked down."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from seq2seq.figures.palette import LABELS_UP_TO, escape, figure, palette, time_axis, token_axis
from seq2seq.figures.tables import table
from seq2seq.trace import Trace, label, merge_words, words

NUMBERS_UP_TO = 12
# A text for every cell of a long run would be megabytes, sent again at every click.
BIG_HOVER = "y%{y} ← x%{x}<br>weight %{z:.2f}<extra></extra>"


# Which attention, by who looks at what; and the names of the two axes.
AXES = {
    "cross": ("source →", "← generated"),
    "encoder": ("source →", "← source"),
    "decoder": ("read so far →", "← generated"),
}


def attention(
    trace: Trace,
    layer: int | None = None,
    head: int | None = None,
    by_word: bool = False,
    selected: int | None = None,
    dark: bool = False,
    which: str = "cross",
) -> go.Figure:
    """Draw the weights with which each generated token looked at the source.

    layer, head: of a Transformer, None for the mean. by_word: merge pieces to words (weights added
    over the source, averaged over the output). selected: target token whose row is framed.
    which: "cross", or the self-attention of the "encoder" or the "decoder", if it was recorded;
    these are drawn by piece.
    The scale is fixed to 0-1, so that runs can be compared. Clicking works through the points laid
    over the cells, whose customdata is (row, column) from 0; a matrix too large for labels has
    none.
    Raises ValueError for a trace without such attention.
    """
    colours, (across, down) = palette(dark), AXES[which]
    by_word = by_word and which == "cross"
    weights, rows, columns = matrix(trace, layer, head, by_word, which)
    small = max(weights.shape) <= NUMBERS_UP_TO
    labelled = max(weights.shape) <= LABELS_UP_TO
    drawn = figure(
        colours,
        height=110 + max(150, min(34 * len(rows), 1_000)),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hoverdistance=-1,
        xaxis=_axis(trace, columns, across, which in ("cross", "encoder"), side="top"),
        yaxis=_axis(trace, rows, down, which == "encoder", downwards=True),
    )
    drawn.add_trace(
        go.Heatmap(
            z=np.round(weights, 4),
            zmin=0,
            zmax=1,
            colorscale=[list(stop) for stop in colours.attention],
            x0=1,
            y0=1,
            xgap=int(labelled),
            ygap=int(labelled),
            hoverinfo="skip" if labelled else None,
            hovertemplate=None if labelled else BIG_HOVER,
            text=[[_number(weight) for weight in row] for row in weights] if small else None,
            texttemplate="%{text}" if small else None,
            textfont={"size": 11},
            colorbar={
                "title": {"text": "weight", "side": "right"},
                "thickness": 10,
                "outlinewidth": 0,
                "tickvals": [0, 0.5, 1],
            },
        )
    )
    if labelled:
        _add_points(drawn, weights, rows, columns)
    if selected is not None and selected < len(trace.target) and which != "encoder":
        row = trace.target.words[selected] if by_word else selected
        drawn.add_shape(
            type="rect",
            x0=0.5,
            x1=len(columns) + 0.5,
            y0=row + 0.5,
            y1=row + 1.5,
            line={"color": colours.mark, "width": 3},
        )
    return drawn


def _axis(trace: Trace, labels: list[str], title: str, source: bool, **more: Any) -> dict[str, Any]:
    if source and trace.position_seconds:
        title = title.replace("source", "seconds")
        return time_axis(len(labels), trace.position_seconds, title, **more)
    return token_axis(labels, title, **more)


def matrix(
    trace: Trace,
    layer: int | None = None,
    head: int | None = None,
    by_word: bool = False,
    which: str = "cross",
) -> tuple[np.ndarray, list[str], list[str]]:
    """Return the weights (rows, columns) that are drawn, and the labels of rows and columns."""
    found = {
        "cross": trace.attention,
        "encoder": trace.encoder_attention,
        "decoder": trace.decoder_attention,
    }[which]
    if found is None:
        raise ValueError("this trace has no attention of this kind")
    if which == "encoder":  # as the others have it: who looks first
        found = np.moveaxis(found, 2, 0)
    weights = (merge_words(trace, found) if by_word else found).astype(np.float32)
    weights = weights.mean(axis=1) if layer is None else weights[:, layer]
    weights = weights.mean(axis=1) if head is None else weights[:, head]
    if by_word:
        return weights, list(words(trace.target)), list(words(trace.source))
    source, target = (
        [label(piece) for piece in tokens.pieces] for tokens in (trace.source, trace.target)
    )
    if which == "cross":
        return weights, target, source
    # A decoder step reads what was written before it; the first one a start token.
    return (
        (weights, source, source) if which == "encoder" else (weights, target, ["▷", *target[:-1]])
    )


def _number(weight: float) -> str:
    """Write a weight as short as a cell is narrow; nothing where the cell is all but empty."""
    return "" if weight < 0.05 else f"{weight:.2f}".lstrip("0")


def attention_csv(
    trace: Trace,
    layer: int | None = None,
    head: int | None = None,
    by_word: bool = False,
    which: str = "cross",
) -> str:
    """Return the weights that are drawn as CSV, a line for each cell, positions from 1."""
    weights, rows, columns = matrix(trace, layer, head, by_word and which == "cross", which)
    names = ("target", "source") if which == "cross" else ("looking", "seen")
    head_row = (f"{names[0]}_position", names[0], f"{names[1]}_position", names[1], "weight")
    cells = (
        (row + 1, rows[row], column + 1, columns[column], f"{weight:.6f}")
        for (row, column), weight in np.ndenumerate(weights)
    )
    return table(head_row, cells)


def _add_points(drawn: go.Figure, weights: np.ndarray, rows: list[str], columns: list[str]) -> None:
    """Lay an invisible point on each cell: plotly reports clicks on points, not on cells."""
    row, column = (index.ravel() for index in np.indices(weights.shape))
    order = np.argsort(np.argsort(-weights, axis=1, kind="stable"), axis=1) + 1
    safe = np.clip(weights, 1e-9, 1)
    entropy = -(safe * np.log2(safe)).sum(axis=1)
    texts = [
        f"y{r + 1} <b>{escape(rows[r])}</b> ← x{c + 1} <b>{escape(columns[c])}</b><br>"
        f"weight {weights[r, c]:.2f}, number {order[r, c]} of {len(columns)}<br>"
        f"entropy of the row {entropy[r]:.1f} bit"
        for r, c in zip(row, column, strict=True)
    ]
    drawn.add_trace(
        go.Scatter(
            x=column + 1,
            y=row + 1,
            mode="markers",
            marker={"symbol": "square", "size": 12, "opacity": 0},
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}},
            customdata=np.stack([row, column], axis=1).tolist(),
            hovertext=texts,
            hoverinfo="text",
        )
    )
