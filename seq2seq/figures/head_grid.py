"""Attention of all layers and heads, each as a small matrix."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from seq2seq.analysis.attention_matrix import Pick, grid, layers_and_heads
from seq2seq.analysis.attention_metrics import entropy
from seq2seq.figures.csv_table import table
from seq2seq.figures.heatmap import levels
from seq2seq.figures.label_margins import fit
from seq2seq.figures.theme import UNSEEN, figure, palette
from seq2seq.trace import Trace

ACROSS = 4
MOST = 24  # small matrices in one picture
FINEST = 24  # rows and columns of a small matrix; of more, each cell is the strongest of a patch


def multiples(
    trace: Trace,
    which: str = "cross",
    layers: range | None = None,
    selected: tuple[Pick, Pick] | None = None,
    scale: str = "0 to 1",
    dark: bool = False,
) -> go.Figure:
    """Draw a small matrix for each head of these layers, all if None.

    selected: layer and head that are framed, from 0. scale: of the colours, as in the large matrix.
    customdata of the points: layer and head.
    Raises ValueError for a trace without such attention.
    """
    colours, heads = palette(dark), _heads(trace, which, layers)
    weights = [grid(trace, which, layer, head).weights for layer, head in heads]
    tiles = [_coarse(levels(each, scale)) for each in weights]
    rows, columns = tiles[0].shape
    across = min(ACROSS, layers_and_heads(trace, which)[1])
    down = -(-len(tiles) // across)
    # Empty cells between the matrices, and for the titles above them.
    aside, above = max(1, columns // 10), max(2, rows // 4)
    wide, tall = columns + aside, rows + above
    cells = np.full((down * tall, across * wide), np.nan, dtype=np.float32)
    corners = [
        (place // across * tall + above, place % across * wide) for place in range(len(tiles))
    ]
    for tile, (top, left) in zip(tiles, corners, strict=True):
        cells[top : top + rows, left : left + columns] = tile
    drawn = figure(
        colours,
        height=20 + 140 * down,
        margin={"l": 2, "r": 2, "t": 2, "b": 2},
        hoverdistance=-1,
        xaxis={"visible": False, "fixedrange": True, "range": [-0.5, cells.shape[1] - 0.5]},
        yaxis={"visible": False, "fixedrange": True, "range": [cells.shape[0] - 0.5, -0.5]},
    )
    drawn.add_trace(
        go.Heatmap(
            z=np.round(cells, 3),
            zmin=0,
            zmax=1,
            colorscale=[list(stop) for stop in colours.attention],
            showscale=False,
            hoverinfo="skip",
            hoverongaps=False,
        )
    )
    names = [f"layer {layer + 1}, head {head + 1}" for layer, head in heads]
    drawn.add_trace(
        go.Scatter(
            x=[left - 0.5 for _, left in corners],
            y=[top - 0.5 for top, _ in corners],
            mode="text",
            text=names,
            textposition="top right",
            textfont={"size": 11, "color": colours.text},
            hoverinfo="skip",
        )
    )
    drawn.add_trace(
        go.Scatter(
            x=[left + columns / 2 - 0.5 for _, left in corners],
            y=[top + rows / 2 - 0.5 for top, _ in corners],
            mode=UNSEEN,
            customdata=[
                [layer, head, text, round(float(entropy(each).mean()), 1)]
                for (layer, head), text, each in zip(heads, names, weights, strict=True)
            ],
            hovertemplate="<b>%{customdata[2]}</b><br>mean row entropy %{customdata[3]} bit<br>"
            "click to open<extra></extra>",
        )
    )
    for place, (top, left) in zip(heads, corners, strict=True):
        chosen = place == selected
        drawn.add_shape(
            type="rect",
            x0=left - 0.5,
            x1=left + columns - 0.5,
            y0=top - 0.5,
            y1=top + rows - 0.5,
            line={"color": colours.mark if chosen else colours.grid, "width": 3 if chosen else 1},
        )
    return fit(drawn)


def multiples_csv(trace: Trace, which: str = "cross", layers: range | None = None) -> str:
    """Return what is measured of each head as CSV, layers and heads from 1.

    The weights of one head are the CSV of its matrix.
    """
    found = []
    for layer, head in _heads(trace, which, layers):
        weights = grid(trace, which, layer, head).weights
        bits, largest = entropy(weights).mean(), weights.max(axis=1).mean()
        found.append((layer + 1, head + 1, f"{bits:.4f}", f"{largest:.4f}"))
    return table(("layer", "head", "mean_row_entropy_bit", "mean_largest_weight"), found)


def _heads(trace: Trace, which: str, layers: range | None) -> list[tuple[int, int]]:
    count, heads = layers_and_heads(trace, which)
    return [(layer, head) for layer in layers or range(count) for head in range(heads)]


def _coarse(weights: np.ndarray) -> np.ndarray:
    """Keep the strongest weight of each patch, so that no side has more than FINEST."""
    for axis in (0, 1):
        count = weights.shape[axis]
        if count > FINEST:
            edges = np.linspace(0, count, FINEST, endpoint=False).astype(int)
            weights = np.maximum.reduceat(weights, edges, axis=axis)
    return weights
