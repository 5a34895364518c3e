"""The answers to a question side by side: which one was given, and where the value lies."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, scatter
from seq2seq.figures.marks import rectangle
from seq2seq.figures.theme import escape, figure, hidden_axis, margins, mix, palette

HEIGHT = 150
LETTERS, MEASURED_LETTERS = 11, 20  # in a line, where four boxes are as wide as a phone


@Picture
def prediction(
    labels: Sequence[str], chosen: int, at: float, measured: str, dark: bool = False
) -> Drawing:
    """Draw answers as boxes, each 1 wide, from 0.

    chosen: the answer that was given. at: where the measured value lies. measured: its name.
    """
    colours, count = palette(dark), len(labels)
    drawn = figure(
        colours,
        HEIGHT,
        margin=margins(l=2, r=2, t=2, b=2),
        xaxis=hidden_axis(0, count),
        yaxis=hidden_axis(-0.45, 2.5),
    )
    for place, label in enumerate(labels):
        line = {"color": colours.grid, "width": 1}
        box = rectangle((place + 0.01, place + 0.99), (0, 1), line)
        if place == chosen:
            box |= {"fillcolor": mix(colours.probability, 0.5), "opacity": 0.3, "layer": "below"}
        drawn.add_shape(box)
        drawn.add_annotation(_text(_lines(label, LETTERS), place + 0.5, 0.5))
    drawn.add_annotation(_text("your answer", chosen + 0.5, -0.3))
    right = at > count / 2
    side = {"xanchor": "right" if right else "left", "xshift": -10 if right else 10}
    side |= {"align": "right" if right else "left", "yanchor": "bottom"}
    said = _lines(f"measured: {measured}", MEASURED_LETTERS)
    drawn.add_annotation(_text(f"<b>{said}</b>", at, 1.08) | side)
    marker = {"symbol": "triangle-down", "size": 13, "color": colours.text}
    drawn.add_trace(
        scatter(x=[at], y=[1.2], mode="markers", marker=marker, hovertext=[escape(measured)])
        | {"hoverinfo": "text"}
    )
    return drawn


def _lines(text: str, letters: int) -> str:
    return "<br>".join(escape(part) for part in textwrap.wrap(text, letters))


def _text(text: str, x: float, y: float) -> dict[str, object]:
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": {"size": 12}}


def prediction_csv(labels: Sequence[str], chosen: int, right: int, measured: str) -> str:
    """Return each answer, whether it was given, and what was measured where it is right."""
    rows = [
        (label, place == chosen, measured if place == right else "")
        for place, label in enumerate(labels)
    ]
    return table(("answer", "given", "measured"), rows)
