"""Attention of all layers and heads, each as a small matrix."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seq2seq.analysis.attention_matrix import Pick, grid, layers_and_heads
from seq2seq.analysis.attention_metrics import entropy
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, Settings, scatter
from seq2seq.figures.heatmap import levels
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import FRAME, colour_cells, rectangle, unseen_points
from seq2seq.figures.theme import Palette, figure, hidden_axis, margins, palette
from seq2seq.trace import Trace

ACROSS = 4
MOST = 24  # small matrices in one picture
FINEST = 24  # rows and columns of a small matrix; of more, each cell is the strongest of a patch


@Picture
def multiples(
    trace: Trace,
    which: str = "cross",
    layers: range | None = None,
    selected: tuple[Pick, Pick] | None = None,
    scale: str = "0 to 1",
    dark: bool = False,
) -> Drawing:
    """Draw a small matrix for each head of these layers, all if None.

    selected: layer and head that are framed, from 0. scale: of the colours, as in the large matrix.
    customdata of the points: layer and head.
    Raises ValueError for a trace without such attention.
    """
    colours, heads = palette(dark), _heads(trace, which, layers)
    weights = [grid(trace, which, layer, head).weights for layer, head in heads]
    tiles = _tiled(
        [_coarse(levels(each, scale)) for each in weights],
        across=min(ACROSS, layers_and_heads(trace, which)[1]),
    )
    tall, wide = tiles.cells.shape
    drawn = figure(
        colours,
        height=20 + 140 * tiles.down,
        margin=margins(l=2, r=2, t=2, b=2),
        hoverdistance=-1,
        xaxis=hidden_axis(-0.5, wide - 0.5),
        yaxis=hidden_axis(tall - 0.5, -0.5),
    )
    cells, whole = np.round(tiles.cells, 3), (0, 1)
    drawn.add_trace(
        colour_cells(cells, colours.attention, whole, hoverinfo="skip", hoverongaps=False)
    )
    names = [f"layer {layer + 1}, head {head + 1}" for layer, head in heads]
    bits = [round(float(entropy(each).mean()), 1) for each in weights]
    drawn.add_trace(_titles(tiles, names, colours))
    rows = [[*head, *more] for head, *more in zip(heads, names, bits, strict=True)]
    drawn.add_trace(_points(tiles, rows))
    for head, corner in zip(heads, tiles.corners, strict=True):
        drawn.add_shape(_border(tiles, corner, head == selected, colours))
    return fit(drawn)


class _Tiles(NamedTuple):
    """Small matrices of one size in one large one; corners: top and left of each."""

    cells: np.ndarray
    corners: list[tuple[int, int]]
    rows: int
    columns: int
    down: int


def _tiled(tiles: list[np.ndarray], across: int) -> _Tiles:
    """Lay small matrices out in rows of so many."""
    rows, columns = tiles[0].shape
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
    return _Tiles(cells, corners, rows, columns, down)


def _titles(tiles: _Tiles, names: list[str], colours: Palette) -> Settings:
    return scatter(
        x=[left - 0.5 for _, left in tiles.corners],
        y=[top - 0.5 for top, _ in tiles.corners],
        mode="text",
        text=names,
        textposition="top right",
        textfont={"size": 11, "color": colours.text},
        hoverinfo="skip",
    )


def _points(tiles: _Tiles, rows: list[list[Any]]) -> Settings:
    """Return what is hovered over and clicked; rows: layer, head, name and entropy of each."""
    return unseen_points(
        [left + tiles.columns / 2 - 0.5 for _, left in tiles.corners],
        [top + tiles.rows / 2 - 0.5 for top, _ in tiles.corners],
        customdata=rows,
        hovertemplate="<b>%{customdata[2]}</b><br>mean row entropy %{customdata[3]} bits<br>"
        "click to open<extra></extra>",
    )


def _border(
    tiles: _Tiles, corner: tuple[int, int], selected: bool, colours: Palette
) -> dict[str, Any]:
    top, left = corner
    line = {
        "color": colours.mark if selected else colours.grid,
        "width": FRAME if selected else 1,
    }
    x, y = (left - 0.5, left + tiles.columns - 0.5), (top - 0.5, top + tiles.rows - 0.5)
    return rectangle(x, y, line)


def multiples_csv(trace: Trace, which: str = "cross", layers: range | None = None) -> str:
    """Return the entropy and the largest weight of each head as CSV, layers and heads from 1.

    The weights of one head are the CSV of its matrix.
    """
    lines = []
    for layer, head in _heads(trace, which, layers):
        weights = grid(trace, which, layer, head).weights
        bits, largest = entropy(weights).mean(), weights.max(axis=1).mean()
        lines.append((layer + 1, head + 1, f"{bits:.4f}", f"{largest:.4f}"))
    return table(("layer", "head", "mean_row_entropy_bits", "mean_largest_weight"), lines)


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
