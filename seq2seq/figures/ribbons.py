"""Attention as ribbons between the source and the output, as wide as the weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Unpack

import numpy as np

from seq2seq.analysis.attention_matrix import Choice, Grid, MatrixAxis, grid
from seq2seq.analysis.attention_metrics import smallest_set
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, Settings, scatter
from seq2seq.figures.heatmap import LETTERS, WORD, cell_lines, name, side_axis
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import FRAME, unseen_points
from seq2seq.figures.theme import Palette, add_title, figure, hidden_axis, margins, mix, palette
from seq2seq.trace import Trace

MASS = 0.75
MOST_ROWS, MOST_COLUMNS = 40, 60
WIDEST = 0.8  # of a weight of 1, where two tokens are 1 apart
THINNEST = 0.02  # weights that are drawn: a thinner ribbon cannot be seen
ALONG = np.linspace(0.1, 0.9, 5)  # where a ribbon can be hovered over


class _Ribbon(NamedTuple):
    """A weight, and where its ribbon begins (source) and ends (output)."""

    row: int
    column: int
    weight: float
    start: float
    end: float
    width: float


def legible(trace: Trace, around: int, **choice: Unpack[Choice]) -> tuple[range, range]:
    """Return the tokens, queries and keys, that ribbons can show at once.

    around: the step, or the source token for its self-attention, that they lie around.
    """
    found = grid(trace, **choice)
    row = found.rows.place(around) or 0
    rows = _window(len(found.rows), row, MOST_ROWS)
    columns = range(len(found.columns))
    if not found.columns.seconds:  # time has no labels that would run into each other
        columns = _window(len(columns), int(found.weights[row].argmax()), MOST_COLUMNS)
    return _tokens(found.rows, rows), _tokens(found.columns, columns)


def _window(count: int, centre: int, most: int) -> range:
    start = max(0, min(centre - most // 2, count - most))
    return range(start, min(count, start + most))


def _tokens(side: MatrixAxis, kept: range) -> range:
    edges = [*side.tokens, side.end]
    shift = -min(0, edges[0])  # a start token is a column, but no token of the output
    return range(edges[kept.start] + shift, edges[kept.stop] + shift)


@Picture
def ribbons(
    trace: Trace,
    selected: int | None = None,
    word: int | None = None,
    mass: float = MASS,
    dark: bool = False,
    **choice: Unpack[Choice],
) -> Drawing:
    """Draw the weights as ribbons from the source, left, to the output, right.

    Of each output token the fewest are drawn that reach the mass (Strobelt et al. 2018), but none
    below THINNEST. selected: token whose ribbons are strong; word: index of the source token
    whose ribbons are less pale. The other arguments are those of the matrix; `legible` tells which
    tokens fit. customdata as there, with None for whichever side a point does not belong to.
    Raises ValueError for a trace without such attention.
    """
    found, which = _shown(trace, mass, choice), choice.get("which", "cross")
    shown, rows, columns = found
    colours, letters, heard = palette(dark), LETTERS[which], bool(columns.seconds)
    height = max(len(rows), 12 if heard else len(columns))
    drawn = _empty(found, which, height, colours)
    drawn_ribbons = list(_ribbons(np.where(shown < THINNEST, 0, shown), height))
    row = -1 if selected is None else rows.place(selected)
    column = -1 if word is None or which == "decoder" else columns.place(word)
    _add_ribbons(drawn, drawn_ribbons, row, column, colours)
    drawn.add_trace(_places(drawn_ribbons, rows, columns, letters))
    # Blue for the source, amber for the output.
    blue, amber = mix(colours.attention, 0.55), mix(colours.probability, 0.55)
    if not heard:
        squares = _squares(blue, WORD, len(columns), column)
        drawn.add_trace(_tokens_of(columns, 0, height, letters[1], squares))
    squares = _squares(blue if which == "encoder" else amber, colours.mark, len(rows), row)
    drawn.add_trace(_tokens_of(rows, 1, height, letters[0], squares))
    # An axis that no trace uses is not drawn.
    drawn.add_trace(scatter(x=[None], y=[None], yaxis="y2", hoverinfo="skip"))
    return fit(drawn)


def _empty(found: Grid, which: str, height: int, colours: Palette) -> Drawing:
    """Return a figure with the tokens of the columns on its left and those of the rows right."""
    _, rows, columns = found
    left, right = _scaled(columns, "source", height), _scaled(rows, "output", height)
    names = {"encoder": ("keys", "queries"), "decoder": ("previous output", "output")}
    titles = names.get(which, ("seconds" if columns.seconds else "source", "output"))
    drawn = figure(
        colours,
        height=70 + min(27 * height, 1_100),
        margin=margins(t=30),
        hoverdistance=30,
        xaxis=hidden_axis(-0.02, 1.02),
        yaxis=left | {"title": None},
        yaxis2=right | {"title": None, "side": "right", "overlaying": "y"},
    )
    for title, x, anchor in zip(titles, (0, 1), ("left", "right"), strict=True):
        add_title(drawn, title, (x, 1), xanchor=anchor)
    return drawn


def _add_ribbons(
    drawn: Drawing, found: list[_Ribbon], row: int | None, column: int | None, colours: Palette
) -> None:
    """Draw those of the row strong, those of the column less pale than all others."""
    strong = [each for each in found if each.row == row]
    middle = [each for each in found if each.row != row and each.column == column]
    pale = [each for each in found if each.row != row and each.column != column]
    for group, level, opacity in ((pale, 0.5, 0.4), (middle, 0.6, 0.6), (strong, 0.75, 0.9)):
        if group:
            drawn.add_shape(
                {
                    "type": "path",
                    "path": " ".join(map(_path, group)),
                    "fillcolor": mix(colours.attention, level),
                    "opacity": opacity,
                    "line": {"width": 0},
                    "layer": "below",
                    # Ribbons that cross cover each other instead of cutting holes.
                    "fillrule": "nonzero",
                }
            )


def ribbons_csv(trace: Trace, mass: float = MASS, **choice: Unpack[Choice]) -> str:
    """Return the weights that are drawn as CSV, positions from 1."""
    found = _shown(trace, mass, choice)
    lines = cell_lines(found, np.argwhere(found.weights).tolist())
    return table(("query_position", "query", "key_position", "key", "weight"), lines)


def _shown(trace: Trace, mass: float, choice: Choice) -> Grid:
    """Return the weights that are drawn: 0 outside the smallest set of the whole row."""
    everything = choice.copy()
    everything["columns"] = None
    whole = grid(trace, **everything)
    shown = np.where(smallest_set(whole.weights, mass), whole.weights, 0)
    _, rows, columns = grid(trace, **choice)
    first = whole.columns.numbers.index(columns.numbers[0])
    return Grid(shown[:, first : first + len(columns)], rows, columns)


def _scaled(side: MatrixAxis, title: str, height: int) -> dict[str, Any]:
    """Return an axis for a side that is spread over so many places."""
    axis = side_axis(side, title, downwards=True)
    share = height / len(side)
    axis["tickvals"] = [(tick - 0.5) * share + 0.5 for tick in axis["tickvals"]]
    return axis | {"range": [height + 0.5, 0.5]}


def _spread(place: int | np.ndarray, count: int, height: int) -> Any:
    return (place + 0.5) * height / count + 0.5


def _ribbons(weights: np.ndarray, height: int) -> Iterator[_Ribbon]:
    """Yield the ribbons of each row, side by side at its end, and of each column at its start."""
    widths = weights * WIDEST
    received = widths.sum(axis=0)
    # Ribbons of a column that received more than one row has to give overlap.
    room = np.minimum(1, 1 / np.maximum(received, 1e-9))
    begun = _spread(np.arange(weights.shape[1]), weights.shape[1], height) - received * room / 2
    for row, each in enumerate(widths):
        end = _spread(row, len(weights), height) - each.sum() / 2
        for column in np.flatnonzero(each).tolist():
            width = float(each[column])
            step = width * float(room[column])
            start = float(begun[column]) + step / 2
            weight = float(weights[row, column])
            yield _Ribbon(row, column, weight, start, float(end) + width / 2, width)
            begun[column] += step
            end += width


def _path(ribbon: _Ribbon) -> str:
    half = ribbon.width / 2
    a, b = f"{ribbon.start - half:.3f}", f"{ribbon.end - half:.3f}"
    c, d = f"{ribbon.end + half:.3f}", f"{ribbon.start + half:.3f}"
    return f"M0,{a} C0.5,{a} 0.5,{b} 1,{b} L1,{c} C0.5,{c} 0.5,{d} 0,{d} Z"


def _places(
    found: Iterable[_Ribbon], rows: MatrixAxis, columns: MatrixAxis, letters: tuple[str, str]
) -> Settings:
    """Lay invisible points along the ribbons, to hover over and to click."""
    across = 1.5 * ALONG * (1 - ALONG) + ALONG**3
    down = ALONG**2 * (3 - 2 * ALONG)
    x, y, data = [], [], []
    for each in found:
        x += across.round(3).tolist()
        y += (each.start + (each.end - each.start) * down).round(3).tolist()
        text = (
            f"{letters[0]}{rows.numbers[each.row]} <b>{name(rows, each.row)}</b> ← "
            f"{letters[1]}{columns.numbers[each.column]} <b>{name(columns, each.column)}</b>  "
            f"{each.weight:.2f}"
        )
        data += [[rows.tokens[each.row], columns.tokens[each.column], text]] * len(ALONG)
    return unseen_points(x, y, customdata=data, hovertemplate="%{customdata[2]}<extra></extra>")


def _squares(colour: str, mark: str, count: int, framed: int | None) -> dict[str, Any]:
    """Return the marker of so many tokens, one of them framed."""
    widths = [FRAME if place == framed else 0 for place in range(count)]
    line = {"color": mark, "width": widths}
    return {"symbol": "square", "size": 11, "opacity": 1, "color": colour, "line": line}


def _tokens_of(
    side: MatrixAxis, x: int, height: int, letter: str, squares: dict[str, Any]
) -> Settings:
    """Draw a square for each token of a side, at the left (x of 0) or the right."""
    places = range(len(side))
    return scatter(
        x=[x] * len(places),
        y=[_spread(place, len(side), height) for place in places],
        mode="markers",
        marker=squares,
        customdata=[
            [
                side.tokens[place] if x else None,
                None if x else side.tokens[place],
                f"{letter}{side.numbers[place]} <b>{name(side, place)}</b>",
            ]
            for place in places
        ],
        hovertemplate="%{customdata[2]}<extra></extra>",
    )
