"""One decoding step: all units as strips of colour, and input and output of a softmax."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, Settings, bar, scatter
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import (
    along,
    colour_cells,
    framed_bars,
    rectangle,
    shades,
    unseen_points,
    upright,
)
from seq2seq.figures.theme import (
    Palette,
    Scale,
    axis,
    escape,
    figure,
    mix,
    name_axis,
    palette,
    signed_key,
    time_axis,
    token_axis,
    value_axis,
)
from seq2seq.trace import label

if TYPE_CHECKING:
    from seq2seq.analysis.step_internals import AttentionInternals, CellInternals, StepInternals

ROWS_UP_TO = 40  # tokens that get a row of their own
BLOCKS = ("input", "after self-attention", "after cross-attention", "after feed-forward")
SCORE_AND_WEIGHT = "score e<sub>tj</sub>", "weight α<sub>tj</sub>"
Rows = Sequence[tuple[str, np.ndarray]]


def cell_rows(cell: CellInternals) -> tuple[Rows, tuple[float, ...]]:
    """Return gates and states of a recurrent layer by name, and the scale of each for `strips`.

    s is the decoder state, C the cell of an LSTM.
    """
    rows = list(cell.gates.items())
    # The sum in a plain RNN has no bounds, unlike gates.
    scales = [1.0 if len(rows) > 1 else reach(rows)] * len(rows)
    for name, before, after in zip(("s", "C"), cell.before, cell.after, strict=False):
        state = [(f"{name}ₜ₋₁", before), (f"{name}ₜ", after)]
        rows += state
        scales += [reach(state)] * 2
    return rows, tuple(scales)


def reach(rows: Rows) -> float:
    """Return how far the values of rows reach from 0; 1 if all are 0."""
    return max(float(np.abs(row).max()) for _, row in rows) or 1.0


def block_rows(close: StepInternals) -> Rows:
    """Return the state in a Transformer layer, before and after each of its blocks."""
    assert close.states is not None
    return list(zip(BLOCKS, close.states, strict=True))


@Picture
def strips(
    rows: Rows,
    unit: int | None = None,
    scales: Sequence[float] = (),
    dark: bool = False,
    clickable: bool = False,
) -> Drawing:
    """Draw vectors of the same width below each other, one narrow cell a unit, 0 in the middle.

    unit: that is framed, from 0. scales: for each row, the value of the strongest colour; () for
    the largest value there is. clickable: with a point for each unit, whose customdata begins with
    the unit.
    """
    colours, count, names = palette(dark), len(rows[0][1]), [name for name, _ in rows]
    values = np.stack([row for _, row in rows]).astype(np.float32)
    scales = scales or (reach(rows),) * len(rows)
    size = 11 if len(set(scales)) > 1 else 13
    drawn = figure(
        colours,
        height=84 + (32 if len(rows) < 8 else 24) * len(rows),
        hovermode="x" if clickable else "closest",
        hoverdistance=-1,
        xaxis=axis(_strips_key(names, scales, colours), 4, size=size, range=list(along(count))),
        yaxis=name_axis(names),
    )
    # Each row as a share of its own scale.
    shares = np.round(values / np.array(scales, np.float32)[:, None], 3)
    text = "unit %{x}, %{y}: %{customdata:.3f}<extra></extra>"
    hover = {"customdata": np.round(values, 3), "hovertemplate": text}
    if clickable:  # plotly reports clicks on points, not on cells
        hover = {"hoverinfo": "skip"}
    drawn.add_trace(colour_cells(shares, colours.diverging, (-1, 1), x0=1, y0=0, **hover))
    if clickable:
        drawn.add_trace(_units(names, values))
    if len(rows) > 1:
        # What parts the rows. With a gap between cells, plotly would draw each of them by itself.
        lines = (f"M0.5,{row + 0.5}H{count + 0.5}" for row in range(len(rows) - 1))
        line = {"color": colours.page, "width": 3}
        drawn.add_shape({"type": "path", "path": " ".join(lines), "line": line})
    if unit is not None:
        # A unit may be thinner than a line: the frame is around it, not on it.
        half = max(0.5, count / 300)
        line = {"color": colours.mark, "width": 2}
        x, y = (unit + 1 - half, unit + 1 + half), (-0.5, len(rows) - 0.5)
        drawn.add_shape(rectangle(x, y, line))
    return fit(drawn)


def _units(names: Sequence[str], values: np.ndarray) -> Settings:
    """Return a point for each unit of values (rows, units), which tells all of its numbers."""
    count = values.shape[1]
    lines = (f"<br>{name} %{{customdata[{n}]:.2f}}" for n, name in enumerate(names, start=1))
    return unseen_points(
        np.arange(1, count + 1),
        np.full(count, (len(values) - 1) / 2),
        customdata=np.stack([np.arange(count, dtype=np.float32), *values.round(3)], axis=1),
        hovertemplate=f"unit %{{x}}{''.join(lines)}<extra></extra>",
    )


def _strips_key(names: Sequence[str], scales: Sequence[float], colours: Palette) -> str:
    """Say what the strongest colours stand for; of which rows, where they differ."""
    if len(set(scales)) == 1:
        return f"unit: {signed_key(scales[0], colours)}"
    parts = []
    for scale, places in itertools.groupby(range(len(names)), key=scales.__getitem__):
        first, *_, last = (names[place] for place in places for _ in range(2))
        which = first if first == last else f"{first} to {last}"
        parts.append(f"{which} {signed_key(scale, colours)}")
    return "unit<br>" + "<br>".join(parts)


def strips_csv(rows: Rows) -> str:
    """Return what `strips` draws as CSV, a line for each unit, from 1."""
    lines = (
        (unit + 1, *(f"{row[unit]:.6f}" for _, row in rows)) for unit in range(len(rows[0][1]))
    )
    return table(("unit", *(name for name, _ in rows)), lines)


@Picture
def scores(
    look: AttentionInternals,
    pieces: Sequence[str],
    marked: int | None = None,
    seconds: float = 0.0,
    dark: bool = False,
) -> Drawing:
    """Draw the score e_tj of each position and its weight α_tj, the softmax of the scores.

    pieces: of the positions. marked: the framed one, from 0. seconds: what a position of a
    recording lasts. The customdata of a click is the position; there is none beyond ROWS_UP_TO.
    """
    colours = palette(dark)
    labels = [label(piece) for piece in pieces]
    texts = [
        f"<b>{escape(name)}{' s' * bool(seconds)}</b><br>score {score:.3f}<br>weight {weight:.3f}"
        for name, score, weight in zip(labels, look.scores, look.weights, strict=True)
    ]
    pair = _Pair(labels, SCORE_AND_WEIGHT, (look.scores, look.weights), texts)
    if seconds:
        return _lines(pair, time_axis(len(labels), seconds, "seconds →"), marked, colours)
    if len(labels) > ROWS_UP_TO:
        across = token_axis(labels, "position →") | {"tickmode": "auto"}
        return _lines(pair, across, marked, colours)
    return _bars(pair, marked, colours.attention, colours)


def scores_csv(look: AttentionInternals, pieces: Sequence[str]) -> str:
    """Return scores and weights as CSV, positions from 1."""
    rows = zip(range(1, len(pieces) + 1), pieces, look.scores, look.weights, strict=True)
    lines = ((*place, f"{score:.6f}", f"{weight:.6f}") for *place, score, weight in rows)
    return table(("position", "token", "score", "weight"), lines)


@Picture
def logits(close: StepInternals, dark: bool = False) -> Drawing:
    """Draw the logits and the probabilities of the best tokens; the chosen one is framed."""
    colours = palette(dark)
    labels = [label(piece) for piece in close.pieces]
    probabilities = close.probabilities
    texts = [
        f"<b>{escape(name)}</b><br>logit {logit:.3f}<br>probability {value:.2%}"
        for name, logit, value in zip(labels, close.logits, probabilities, strict=True)
    ]
    if close.rank >= len(labels):
        labels[-1] += f" (rank {close.rank + 1:,})"
    titles = "logit" if close.copying is None else "log P", "probability"
    pair = _Pair(labels, titles, (close.logits, probabilities), texts)
    return _bars(pair, close.chosen, colours.probability, colours)


def logits_csv(close: StepInternals) -> str:
    """Return the tokens that `logits` draws as CSV."""
    rows = zip(close.pieces, close.ids, close.logits, close.probabilities, strict=True)
    lines = ((*token, f"{logit:.6f}", f"{value:.6f}") for *token, logit, value in rows)
    return table(("token", "id", "logit", "probability"), lines)


@Picture
def sizes(close: StepInternals, layer: int, dark: bool = False) -> Drawing:
    """Draw the norm of a Transformer's state after each block; those of a layer are framed."""
    assert close.sizes is not None
    colours, count = palette(dark), len(close.sizes)
    values = close.sizes.ravel()
    drawn = figure(
        colours,
        height=200,
        bargap=0.15,
        xaxis=axis(
            "layer",
            4,
            tickmode="array",
            tickvals=[4 * number + 2.5 for number in range(count)],
            ticktext=[str(number + 1) for number in range(count)],
        ),
        yaxis=_amount_axis(colours, "norm"),
    )
    framed = [number // 4 == layer % count for number in range(len(values))]
    fills = shades(colours.probability, values / (values.max() or 1))
    drawn.add_trace(
        bar(
            x=np.arange(1, len(values) + 1),
            y=values,
            marker=framed_bars(fills, framed, colours),
            hovertext=[
                f"layer {number // 4 + 1}, {BLOCKS[number % 4]}<br>norm {value:.2f}"
                for number, value in enumerate(values)
            ],
            hoverinfo="text",
        )
    )
    return fit(drawn)


def sizes_csv(close: StepInternals) -> str:
    """Return the norms of a Transformer's states as CSV, layers from 1."""
    assert close.sizes is not None
    lines = (
        (layer + 1, BLOCKS[block], f"{value:.6f}")
        for (layer, block), value in np.ndenumerate(close.sizes)
    )
    return table(("layer", "state", "norm"), lines)


class _Pair(NamedTuple):
    """Two numbers of each token, any number and a share of 1: titles and values of both."""

    labels: list[str]
    titles: tuple[str, str]
    values: tuple[np.ndarray, np.ndarray]
    texts: list[str]


def _bars(pair: _Pair, marked: int | None, scale: Scale, colours: Palette) -> Drawing:
    """Draw both numbers of each token beside each other."""
    labels, titles, values, texts = pair
    left = _amount_axis(colours, titles[0], domain=[0, 0.46], range=_range(values[0]))
    drawn = figure(
        colours,
        height=70 + 24 * len(labels),
        bargap=0.2,
        xaxis=left,
        xaxis2=_amount_axis(
            colours, titles[1], domain=[0.54, 1], range=[0, 1.18], tickvals=[0, 0.5, 1]
        ),
        yaxis=token_axis(labels, "", downwards=True),
    )
    framed = [number == marked for number in range(len(labels))]
    for place, numbers in zip(("x", "x2"), values, strict=True):
        shares = values[1] if place == "x2" else np.full(len(labels), 0.35)
        drawn.add_trace(
            bar(
                x=numbers,
                y=np.arange(1, len(labels) + 1),
                xaxis=place,
                orientation="h",
                marker=framed_bars(shades(scale, shares), framed, colours),
                text=[f"{number:.2f}" for number in numbers],
                textposition="outside",
                textfont={"size": 11, "color": colours.text},
                cliponaxis=False,
                customdata=[[number] for number in range(len(labels))],
                hovertext=texts,
                hoverinfo="text",
            )
        )
    return fit(drawn)


def _lines(pair: _Pair, across: dict[str, Any], marked: int | None, colours: Palette) -> Drawing:
    """Draw both numbers of very many positions, below each other; across: their axis."""
    _, titles, values, texts = pair
    drawn = figure(
        colours,
        height=300,
        hovermode="x",
        hoverdistance=-1,
        xaxis=across | {"anchor": "y2"},
        yaxis=_amount_axis(colours, titles[0], domain=[0.56, 1]),
        yaxis2=_amount_axis(colours, titles[1], domain=[0, 0.46], rangemode="tozero"),
    )
    colour = mix(colours.attention, 0.7)
    for place, numbers in zip(("y", "y2"), values, strict=True):
        drawn.add_trace(
            scatter(
                x=np.arange(1, len(numbers) + 1),
                y=numbers,
                yaxis=place,
                mode="lines",
                line={"shape": "hvh", "color": colour, "width": 1.5},
                fill="tozeroy" if place == "y2" else None,
                hovertext=texts,
                hoverinfo="text" if place == "y2" else "skip",
            )
        )
    if marked is not None:
        drawn.add_shape(upright(marked + 1, {"color": colours.mark, "width": 2}))
    return fit(drawn)


def _range(values: np.ndarray) -> list[float]:
    """Return a range with 0 in it, and room for a number beyond the longest bar on either side."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    # For a number of five characters on a phone: of a plot that has room on both sides, a share.
    room = (0.75 if low < 0 < high else 0.45) * ((high - low) or 1.0)
    return [low - room if low < 0 else 0.0, high + room if high > 0 else 0.0]


def _amount_axis(colours: Palette, title: str, **more: Any) -> dict[str, Any]:
    return value_axis(colours, title, colours.grid, standoff=4, nticks=4, **more)
