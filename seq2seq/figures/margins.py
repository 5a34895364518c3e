"""Room for the labels of a figure, so that plotly need not draw it twice to find out."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from typing import Any

import plotly.graph_objects as go

NUMBER = "−0.00"  # as wide as what plotly writes at an axis of numbers
GAP = 6  # pixels between a label and its axis
LINE = 1.3  # height of a line of text, in sizes of its letters
_TAG = re.compile(r"<[^>]*>")
_NARROW, _BROAD = frozenset(" .,:;!|'`il1jtfrI()[]"), frozenset("mwMW@%—…")


def fit(drawn: go.Figure) -> go.Figure:
    """Give a figure margins that hold the labels and titles of its axes; returns it.

    Only axes with `automargin` are given room, in addition to the margins that the figure has.
    """
    size = drawn.layout.font.size or 12
    need = {"l": 0.0, "r": 0.0, "t": 0.0, "b": 0.0}
    axes = [(axis, True) for axis in drawn.select_xaxes()]
    axes += [(axis, False) for axis in drawn.select_yaxes()]
    for axis, across in axes:
        if axis.automargin:
            axis.automargin = False
            side = (axis.side or ("bottom" if across else "left"))[0]
            need[side] = max(need[side], _reach(axis, across, size))
            if across:
                need["r"] = max(need["r"], _beyond(axis, size))
    margin = drawn.layout.margin
    drawn.layout.margin = {
        side: (margin[side] or 0) + math.ceil(room) for side, room in need.items()
    }
    return drawn


def width(text: str, size: float) -> float:
    """Return about how wide a text is drawn, in pixels; size: of the letters, in pixels."""
    units = 0.0
    for letter in html.unescape(_TAG.sub("", text)):
        if unicodedata.combining(letter):
            continue
        if unicodedata.east_asian_width(letter) in "WF":
            units += 1.05
        elif letter in _NARROW:
            units += 0.34
        elif letter in _BROAD or ord(letter) > 0x2000:
            units += 0.95
        else:
            units += 0.7 if letter.isupper() else 0.58
    return units * size


def _beyond(axis: Any, size: float) -> float:
    """Return how far the last label of an axis goes beyond it to the right, if it stands askew."""
    texts, angle = axis.ticktext, abs(axis.tickangle or 0)
    if not texts or axis.showticklabels is False or not 0 < angle < 90:
        return 0.0
    return width(texts[-1], axis.tickfont.size or size) * math.cos(math.radians(angle))


def _reach(axis: Any, across: bool, size: float) -> float:
    """Return how far an axis reaches out of the plot, in pixels; size: of the figure's letters."""
    reach = 0.0
    if axis.visible is False:
        return reach
    if axis.showticklabels is not False:
        letters = axis.tickfont.size or size
        texts = [NUMBER] if axis.tickvals is None else list(axis.ticktext or [])
        long = max((width(text, letters) for text in texts), default=0.0)
        high = LINE * letters
        angle = math.radians(abs(axis.tickangle or 0))
        along, beside = (math.sin, math.cos) if across else (math.cos, math.sin)
        reach = long * along(angle) + high * beside(angle) + GAP if texts else 0.0
    if axis.title.text:
        letters = axis.title.font.size or 1.2 * size
        lines = 1 + axis.title.text.count("<br>")
        reach += (axis.title.standoff or 0) + LINE * letters * lines
    return reach
