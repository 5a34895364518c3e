"""Attention as a matrix: a row for each query, a column for each key."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Unpack, cast

import numpy as np

from seq2seq.analysis.attention_matrix import Choice, Grid, MatrixAxis, grid
from seq2seq.analysis.attention_metrics import coverage, entropy, sinks
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, Settings, bar
from seq2seq.figures.label_margins import LINE, fit
from seq2seq.figures.marks import along, around, colour_cells, frame, rectangle, unseen_points
from seq2seq.figures.theme import (
    LABELS_UP_TO,
    Palette,
    add_key,
    axis,
    escape,
    figure,
    margins,
    mix,
    palette,
    time_axis,
    token_axis,
)
from seq2seq.trace import Trace

NUMBERS_UP_TO = 12
# Points that can be hovered over and clicked, along a side that is too long for labels.
PLACES = 30
NARROW = 230  # pixels of the cells of a narrow matrix, about
WORD = "#9c6d9b"  # frames a source token, as in the row of tokens
SCALES = ("0 to 1", "row maximum", "square root")

# The names of the two axes by the kind of attention: to the source, or of either side to itself.
AXES = {
    "cross": ("source →", "← output"),
    "encoder": ("source →", "← source"),
    "decoder": ("previous output →", "← output"),
}
# How the tokens of rows and columns are numbered in the hover text.
LETTERS = {"cross": ("y", "x"), "encoder": ("x", "x"), "decoder": ("y", "y")}


class MatrixChoice(Choice, total=False):
    """Which weights are drawn, and how their columns run.

    right_to_left: the first column is at the right, as a source in such a script is written.
    """

    right_to_left: bool


@Picture
def attention(
    trace: Trace,
    selected: int | None = None,
    word: int | None = None,
    scale: str = "0 to 1",
    measured: bool = False,
    dark: bool = False,
    **choice: Unpack[MatrixChoice],
) -> Drawing:
    """Draw the attention weights α_tj of each output token t on the source tokens j.

    choice: which weights; by default the mean of the cross-attention. selected: token whose row is
    framed, of the output, or of the source for its self-attention. word: source token whose column
    is framed. scale: one of SCALES; with "0 to 1" runs can be compared. measured: with bars of the
    entropy of each row and of the attention that each column received.
    Attention sinks have a dashed frame. Clicking works through the points laid over the cells,
    whose customdata begins with the first token of row and column, from 0; where there are too many
    for labels, over the strongest ones.
    Raises ValueError for a trace without such attention.
    """
    weights = {name: value for name, value in choice.items() if name != "right_to_left"}
    found, which = grid(trace, **cast(Choice, weights)), choice.get("which", "cross")
    colours, tall = palette(dark), _height(found)
    axes = _axes(found, which)
    if measured:
        axes = _with_measures(axes, found, tall)
    drawn = figure(
        colours,
        height=135 + tall + 60 * measured,
        margin=margins(b=30),
        hoverdistance=-1,
        **axes,
    )
    numbered = max(found.weights.shape) <= NUMBERS_UP_TO
    drawn.add_trace(_cells(found.weights, scale, numbered, colours))
    add_cells_key(drawn, scale, colours)
    drawn.add_trace(_points(found, LETTERS[which]))
    if measured:
        drawn.data += _measures(found, which, colours)
    column = None if word is None or which == "decoder" else found.columns.place(word)
    if column is not None:
        drawn.add_shape(frame(around(column), along(len(found.rows)), WORD))
    _frame_row(drawn, found, selected, colours)
    if which == "cross":
        _frame_sinks(drawn, found, [token for token, _ in sinks(trace)], colours)
    if choice.get("right_to_left"):
        _reverse(drawn.layout["xaxis"])
    return fit(drawn)


def _reverse(across: dict[str, Any]) -> None:
    """Let an axis over the source run from right to left."""
    across["range"] = across["range"][::-1]
    across["title"]["text"] = across["title"]["text"].replace("source →", "← source")


@Picture
def narrow_attention(
    trace: Trace, selected: int | None = None, dark: bool = False, **choice: Unpack[Choice]
) -> Drawing:
    """Draw the matrix of `attention` where there is little room: small labels, no numbers, no key.

    Of labels that would lie on each other, some are left to the hover text. Arguments, clicks and
    errors are those of `attention`.
    """
    found, which = grid(trace, **choice), choice.get("which", "cross")
    colours, axes = palette(dark), _axes(found, which)
    axes["xaxis"] |= {"tickangle": -90, "tickfont": {"size": 10}}
    every = math.ceil(len(found.columns) * LINE * 10 / NARROW)
    for part in ("tickvals", "ticktext"):
        axes["xaxis"][part] = axes["xaxis"][part][::every]
    axes["yaxis"] |= {"title": {"text": ""}, "tickfont": {"size": 11}}
    drawn = figure(colours, height=135 + _height(found), hoverdistance=-1, **axes)
    drawn.add_trace(_cells(found.weights, SCALES[0], False, colours))
    drawn.add_trace(_points(found, LETTERS[which], on_axes=every == 1))
    _frame_row(drawn, found, selected, colours)
    if which == "cross":
        _frame_sinks(drawn, found, [token for token, _ in sinks(trace)], colours)
    return fit(drawn)


def _height(found: Grid) -> int:
    """Return the height of the cells of a matrix, in pixels."""
    return max(150, min(34 * len(found.rows), 1_000))


def _axes(found: Grid, which: str) -> dict[str, dict[str, Any]]:
    across, down = AXES[which]
    return {
        "xaxis": side_axis(found.columns, across) | {"side": "top"},
        "yaxis": side_axis(found.rows, down, downwards=True),
    }


def _cells(weights: np.ndarray, scale: str, numbered: bool, colours: Palette) -> Settings:
    labelled = max(weights.shape) <= LABELS_UP_TO
    shown, most = in_bytes(weights, scale)
    if labelled:
        shown, most = np.round(levels(weights, scale), 4), 1
    return colour_cells(
        shown,
        colours.attention,
        (0, most),
        x0=1,
        y0=1,
        xgap=int(labelled),
        ygap=int(labelled),
        hoverinfo="skip",
        text=[[_number(weight) for weight in row] for row in weights] if numbered else None,
        texttemplate="%{text}" if numbered else None,
        textfont={"size": 11},
    )


def _frame_row(drawn: Drawing, found: Grid, selected: int | None, colours: Palette) -> None:
    row = None if selected is None else found.rows.place(selected)
    if row is not None:
        drawn.add_shape(frame(along(len(found.columns)), around(row), colours.mark))


def _frame_sinks(drawn: Drawing, found: Grid, tokens: Sequence[int], colours: Palette) -> None:
    """Frame the columns of attention sinks with dashes."""
    line = {"color": colours.text, "width": 1.5, "dash": "dash"}
    for column in dict.fromkeys(map(found.columns.place, tokens)):
        if column is not None:
            drawn.add_shape(rectangle(around(column), along(len(found.rows)), line))


def attention_csv(trace: Trace, **choice: Unpack[Choice]) -> str:
    """Return the weights that are drawn as CSV, a line for each cell, positions from 1."""
    weights, rows, columns = grid(trace, **choice)
    cross = choice.get("which", "cross") == "cross"
    names = ("target", "source") if cross else ("query", "key")
    head_row = (f"{names[0]}_position", names[0], f"{names[1]}_position", names[1], "weight")
    return table(head_row, cell_lines(Grid(weights, rows, columns), np.ndindex(weights.shape)))


def cell_lines(found: Grid, places: Iterable[Sequence[int]]) -> Iterator[tuple]:
    """Yield a line of a CSV for each of these cells: both positions and tokens, and the weight."""
    weights, rows, columns = found
    for row, column in places:
        yield (
            rows.numbers[row],
            rows.labels[row],
            columns.numbers[column],
            columns.labels[column],
            f"{weights[row, column]:.6f}",
        )


def side_axis(side: MatrixAxis, title: str, downwards: bool = False) -> dict[str, Any]:
    """Return the axis of rows or columns: their tokens, or seconds of a recording."""
    if side.seconds:
        title = title.replace("source", "seconds")
        return time_axis(len(side), side.seconds, title, downwards=downwards)
    return token_axis(side.labels, title, downwards)


def levels(weights: np.ndarray, scale: str) -> np.ndarray:
    """Return what the colours show of the weights, from 0 to 1; scale: one of SCALES."""
    if scale == "row maximum":
        return weights / np.maximum(weights.max(axis=1, keepdims=True), 1e-9)
    shown = np.clip(weights, 0, 1)
    return np.sqrt(shown) if scale == "square root" else shown


def in_bytes(weights: np.ndarray, scale: str) -> tuple[np.ndarray, int]:
    """Return what the colours show of a long run in one byte a cell, and the largest value.

    All cells are sent again at every click.
    """
    return np.rint(levels(weights, scale) * 255).astype(np.uint8), 255


def add_cells_key(drawn: Drawing, scale: str, colours: Palette, below: float = 8) -> None:
    """Write below a matrix what the colours of its cells stand for."""
    title, texts = {
        "0 to 1": ("attention weight", ("0.1", "0.5", "1")),
        "row maximum": ("share of the row's largest weight", ("0.1", "0.5", "1")),
        "square root": ("attention weight", ("0.01", "0.25", "1")),
    }[scale]
    shades = (mix(colours.attention, level) for level in (0.1, 0.5, 1))
    add_key(drawn, title, zip(texts, shades, strict=True), below)


def _number(weight: float) -> str:
    """Write a weight as short as a cell is narrow; nothing where the cell is all but empty."""
    return "" if weight < 0.05 else f"{weight:.2f}".lstrip("0")


def _points(found: Grid, letters: tuple[str, str], on_axes: bool = True) -> Settings:
    """Lay invisible points over cells: plotly reports clicks on points, not on cells.

    on_axes: each label that fits is on its axis; else columns are named in the points.
    """
    weights, rows, columns = found
    order = ranks(weights)
    bits, places = [f"{each:.1f}" for each in entropy(weights)], list(places_of(weights))
    # The labels of an axis need not be sent again for each cell: plotly finds them there.
    row_name, column_name = (
        "%{y}" if on_axis(rows) else "",
        "%{x}" if on_axis(columns) and on_axes else "",
    )
    data = [
        [
            rows.tokens[r],
            columns.tokens[c],
            rows.numbers[r],
            columns.numbers[c],
            f"{weights[r, c]:.2f}",
            ordinal(int(order[r, c])),
            bits[r],
            *([] if row_name else [name(rows, r)]),
            *([] if column_name else [name(columns, c)]),
        ]
        for r, c in places
    ]
    row_name = row_name or "%{customdata[7]}"
    column_name = column_name or f"%{{customdata[{7 if on_axis(rows) else 8}]}}"
    return unseen_points(
        [c + 1 for _, c in places],
        [r + 1 for r, _ in places],
        customdata=data,
        hovertemplate=f"{letters[0]}%{{customdata[2]}} <b>{row_name}</b> ← "
        f"{letters[1]}%{{customdata[3]}} <b>{column_name}</b>  %{{customdata[4]}}<br>"
        f"%{{customdata[5]}} of {len(columns)}; row entropy %{{customdata[6]}} bits<extra></extra>",
    )


def on_axis(side: MatrixAxis) -> bool:
    """Tell whether the axis of a side has the label of each of its tokens."""
    return not side.seconds and len(side) <= LABELS_UP_TO


def name(side: MatrixAxis, place: int) -> str:
    """Return the label of a row or column as plotly shows it, or its time in a recording."""
    if side.seconds:
        return f"{(side.numbers[place] - 1) * side.seconds:.2f} s"
    return escape(side.labels[place])


def ranks(weights: np.ndarray) -> np.ndarray:
    """Return the rank of each weight in its row, from 1 for the largest."""
    return np.argsort(np.argsort(-weights, axis=1, kind="stable"), axis=1) + 1


def ordinal(number: int) -> str:
    """Write 1 as 1st."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def places_of(weights: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield each cell, or the strongest of each patch where there are too many."""
    if max(weights.shape) <= LABELS_UP_TO:
        yield from itertools.product(*map(range, weights.shape))
        return
    parts = [
        np.array_split(np.arange(count), count if count <= LABELS_UP_TO else PLACES)
        for count in weights.shape
    ]
    for rows in parts[0]:
        for columns in parts[1]:
            patch = weights[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            row, column = np.unravel_index(patch.argmax(), patch.shape)
            yield int(rows[row]), int(columns[column])


def _with_measures(axes: dict[str, Any], found: Grid, tall: int) -> dict[str, Any]:
    """Return the axes of a matrix of this height, made smaller, and those of its bars."""
    low = 60 / (tall + 60)
    bits, received = np.log2(len(found.columns)), coverage(found.weights).max()
    return {
        "xaxis": axes["xaxis"] | {"domain": [0, 0.86]},
        "yaxis": axes["yaxis"] | {"domain": [low, 1]},
        "xaxis2": _measure_axis(
            "Entropy<br>(bits)", float(bits), domain=[0.88, 1], side="top", anchor="y"
        ),
        "yaxis2": _measure_axis(
            "Attention<br>received", float(received), domain=[0, low * 0.8], anchor="x"
        ),
    }


def _measure_axis(title: str, most: float, **more: Any) -> dict[str, Any]:
    """Return an axis from 0 to the most, at least 1, with these two labels."""
    most = max(1.0, most)
    ticks = {"tickvals": [0, most], "ticktext": ["0", f"{most:.1f}"], "tickfont": {"size": 10}}
    return axis(title, 2, size=11, room=False, range=[0, most]) | ticks | more


def _measures(found: Grid, which: str, colours: Palette) -> list[Settings]:
    """Return bars: beside each row its entropy, below each column the attention it received."""
    weights, rows, columns = found
    marker = {"color": mix(colours.attention, 0.6), "line": {"width": 0}}
    letters = LETTERS[which]
    return [
        bar(
            x=np.round(entropy(weights), 3),
            y=np.arange(1, len(rows) + 1),
            orientation="h",
            xaxis="x2",
            customdata=[[r, None, n] for r, n in zip(rows.tokens, rows.numbers, strict=True)],
            hovertemplate=f"{letters[0]}%{{customdata[2]}} entropy %{{x:.2f}} bits<extra></extra>",
            marker=marker,
        ),
        bar(
            x=np.arange(1, len(columns) + 1),
            y=np.round(coverage(weights), 3),
            yaxis="y2",
            customdata=[[None, c, n] for c, n in zip(columns.tokens, columns.numbers, strict=True)],
            hovertemplate=f"{letters[1]}%{{customdata[2]}} received %{{y:.2f}}<extra></extra>",
            marker=marker,
        ),
    ]
