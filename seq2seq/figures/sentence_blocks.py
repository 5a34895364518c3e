"""Attention between passages: a long input at a glance, sentence by sentence."""

from __future__ import annotations

import numpy as np

from seq2seq.analysis.attention_matrix import Pick, grid, merge
from seq2seq.analysis.passages import passages, texts
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, Settings
from seq2seq.figures.heatmap import AXES, NUMBERS_UP_TO, ordinal, places_of, ranks
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import around, colour_cells, frame, unseen_points
from seq2seq.figures.theme import LABELS_UP_TO, escape, figure, palette, token_axis
from seq2seq.trace import Trace

LETTERS = 14  # of a passage, on an axis
HOVERED = 80  # of a passage, in the hover text
MOST_HOVERED = 600  # blocks whose texts are sent along for it


def block_weights(
    trace: Trace, which: str = "cross", layer: Pick = "mean", head: Pick = "mean"
) -> np.ndarray:
    """Return the weights (rows, columns) between passages of at most LABELS_UP_TO tokens.

    They are added over keys and averaged over queries.
    Raises ValueError for a trace without such attention.
    """
    weights = grid(trace, which, layer, head).weights
    return merge(weights, *passages(trace, which, LABELS_UP_TO))


def block_tokens(trace: Trace, which: str, row: int, column: int) -> tuple[range, range]:
    """Return the tokens of a block: the rows and the columns of the matrix that are in it."""
    rows, columns = passages(trace, which, LABELS_UP_TO)
    return _span(rows, row), _span(columns, column)


def _span(numbers: tuple[int, ...], number: int) -> range:
    start = numbers.index(number)
    return range(start, start + numbers.count(number))


@Picture
def blocks(
    trace: Trace,
    selected: tuple[int, int] | None = None,
    which: str = "cross",
    layer: Pick = "mean",
    head: Pick = "mean",
    dark: bool = False,
) -> Drawing:
    """Draw the attention of each sentence of the output to each sentence of the source.

    selected: row and column of the block that is framed. customdata of the points: row and column,
    from 0. Colours run from 0 to 1.
    Raises ValueError for a trace without such attention.
    """
    colours, weights = palette(dark), block_weights(trace, which, layer, head)
    columns, rows = block_texts(trace, which)
    labelled, small = max(weights.shape) <= LABELS_UP_TO, max(weights.shape) <= NUMBERS_UP_TO
    across, down = _labels(columns), _labels(rows)
    drawn = figure(
        colours,
        height=170 + max(110, min(30 * len(weights), 900)),
        hoverdistance=-1,
        xaxis=token_axis(across, AXES[which][0], side="top", tickfont={"size": 10}),
        yaxis=token_axis(down, AXES[which][1], downwards=True),
    )
    drawn.add_trace(
        colour_cells(
            np.round(weights, 4),
            colours.attention,
            (0, 1),
            x0=1,
            y0=1,
            xgap=int(labelled),
            ygap=int(labelled),
            hoverinfo="skip",
            texttemplate="%{z:.2f}" if small else None,
            textfont={"size": 11},
        )
    )
    drawn.add_trace(_points(weights, columns, rows))
    if selected is not None:
        row, column = selected
        drawn.add_shape(frame(around(column), around(row), colours.mark))
    return fit(drawn)


def _points(weights: np.ndarray, columns: tuple[str, ...], rows: tuple[str, ...]) -> Settings:
    order, places = ranks(weights), list(places_of(weights))
    letters = HOVERED if len(places) <= MOST_HOVERED else LETTERS
    return unseen_points(
        [column + 1 for _, column in places],
        [row + 1 for row, _ in places],
        customdata=[
            [
                row,
                column,
                f"{weights[row, column]:.2f}",
                ordinal(int(order[row, column])),
                escape(_short(rows[row], letters)),
                escape(_short(columns[column], letters)),
            ]
            for row, column in places
        ],
        hovertemplate="<b>%{customdata[4]}</b><br>← %{customdata[5]}<br>"
        f"%{{customdata[2]}}, %{{customdata[3]}} of {len(columns)}<extra></extra>",
    )


def blocks_csv(
    trace: Trace, which: str = "cross", layer: Pick = "mean", head: Pick = "mean"
) -> str:
    """Return the weights between passages as CSV, a line for each block, numbers from 1."""
    columns, rows = block_texts(trace, which)
    lines = (
        (row + 1, rows[row], column + 1, columns[column], f"{weight:.6f}")
        for (row, column), weight in np.ndenumerate(block_weights(trace, which, layer, head))
    )
    return table(("query", "query_text", "key", "key_text", "weight"), lines)


def block_texts(trace: Trace, which: str = "cross") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the texts of the passages: those of the columns, then those of the rows."""
    rows, columns = passages(trace, which, LABELS_UP_TO)
    target = texts(trace.target, rows) if which != "encoder" else ()
    if which == "decoder":
        return target, target
    if trace.position_seconds:
        source = tuple(f"second {number}" for number in range(columns[-1] + 1))
    else:
        source = texts(trace.source, columns)
    return source, source if which == "encoder" else target


def _labels(side: tuple[str, ...]) -> list[str]:
    """Number the passages; with their first letters where there is room for them."""
    if len(side) > NUMBERS_UP_TO:
        return [str(number) for number in range(1, len(side) + 1)]
    return [f"{number} {_short(text, LETTERS)}" for number, text in enumerate(side, 1)]


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"
