"""Room for the labels of a figure, so that plotly need not draw it twice to find out."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from typing import Any

from seq2seq.figures.drawing import Drawing

NUMBER = "−0.00"  # as wide as what plotly writes at an axis of numbers
GAP = 6  # pixels between a label and its axis
LINE = 1.3  # height of a line of text, in sizes of its letters
_TAG = re.compile(r"<[^>]*>")
_NARROW, _BROAD = frozenset(" .,:;!|'`il1jtfrI()[]"), frozenset("mwMW@%—…")


def fit(drawn: Drawing) -> Drawing:
    """Give a figure margins that hold the labels and titles of its axes; returns it.

    Only axes with `automargin` are given room, in addition to the margins that the figure has.
    """
    layout = drawn.layout
    size = layout.get("font", {}).get("size", 12)
    need = {"l": 0.0, "r": 0.0, "t": 0.0, "b": 0.0}
    for name, axis in list(layout.items()):
        if not name.startswith(("xaxis", "yaxis")) or not axis.get("automargin"):
            continue
        across = name[0] == "x"
        layout[name] = axis | {"automargin": False}
        side = axis.get("side", "bottom" if across else "left")[0]
        need[side] = max(need[side], _reach(axis, across, size))
        if across:
            need["r"] = max(need["r"], _beyond(axis, size))
    margin = layout.get("margin", {})
    layout["margin"] = {side: margin.get(side, 0) + math.ceil(room) for side, room in need.items()}
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


def _beyond(axis: dict[str, Any], size: float) -> float:
    """Return how far the last label of an axis goes beyond it to the right, if it stands askew."""
    texts, angle = axis.get("ticktext"), abs(axis.get("tickangle", 0))
    if not texts or not axis.get("showticklabels", True) or not 0 < angle < 90:
        return 0.0
    return width(texts[-1], _letters(axis.get("tickfont"), size)) * math.cos(math.radians(angle))


def _letters(font: dict[str, Any] | None, size: float) -> float:
    """Return the size of the letters of a font, which may name none; size: of all others."""
    return (font or {}).get("size", size)


def _reach(axis: dict[str, Any], across: bool, size: float) -> float:
    """Return how far an axis reaches out of the plot, in pixels; size: of the figure's letters."""
    reach = 0.0
    if not axis.get("visible", True):
        return reach
    if axis.get("showticklabels", True):
        letters = _letters(axis.get("tickfont"), size)
        texts = [NUMBER] if axis.get("tickvals") is None else list(axis.get("ticktext", []))
        long = max((width(text, letters) for text in texts), default=0.0)
        high = LINE * letters
        angle = math.radians(abs(axis.get("tickangle", 0)))
        along, beside = (math.sin, math.cos) if across else (math.cos, math.sin)
        reach = long * along(angle) + high * beside(angle) + GAP if texts else 0.0
    title = axis.get("title") or {}
    if text := title.get("text"):
        letters = _letters(title.get("font"), 1.2 * size)
        reach += title.get("standoff", 0) + LINE * letters * (1 + text.count("<br>"))
    return reach
