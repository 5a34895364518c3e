"""What several pictures draw alike: cells, frames, framed bars, points that answer the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seq2seq.figures.drawing import Settings, heatmap, scatter
from seq2seq.figures.theme import Palette, Scale, mix

# The mode of points that only answer the mouse: texts that are empty. Plotly finds them where they
# would be, and draws nothing; markers that nobody sees cost as much as those that are seen.
UNSEEN = "text"
FRAME = 3  # pixels, of the line around what is selected
Values = Sequence[float] | np.ndarray
BLUE = "#6ba3d6"  # of bars, on a light page and on a dark one


def colour_cells(
    values: np.ndarray, scale: Scale, span: tuple[float, float], **more: Any
) -> Settings:
    """Return a heatmap of values (rows, columns); span: the values at the two ends of the scale."""
    return heatmap(
        z=values,
        zmin=span[0],
        zmax=span[1],
        colorscale=[list(stop) for stop in scale],
        showscale=False,
        **more,
    )


def unseen_points(x: Values, y: Values, **more: Any) -> Settings:
    """Return points that are not drawn, but can be hovered over and clicked."""
    return scatter(x=x, y=y, mode=UNSEEN, **more)


def rectangle(
    x: tuple[float, float], y: tuple[float, float], line: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """Return a shape from one corner to the other."""
    return {"type": "rect", "x0": x[0], "x1": x[1], "y0": y[0], "y1": y[1], "line": line, **more}


def upright(x: float, line: Settings) -> Settings:
    """Return a line from the foot of the plot to its top, as a shape."""
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "y domain", "line": line}


def frame(
    x: tuple[float, float], y: tuple[float, float], colour: str, **more: Any
) -> dict[str, Any]:
    """Return the frame around what is selected, as a shape."""
    return rectangle(x, y, {"color": colour, "width": FRAME}, **more)


def around(place: int) -> tuple[float, float]:
    """Return the two ends of a cell on an axis of tokens; place: from 0."""
    return place + 0.5, place + 1.5


def along(count: int) -> tuple[float, float]:
    """Return the two ends of an axis of so many tokens."""
    return 0.5, count + 0.5


def framed_bars(fills: Sequence[str], framed: Sequence[bool], colours: Palette) -> dict[str, Any]:
    """Return the marker of bars with these fills, some of them framed."""
    return {
        "color": list(fills),
        "line": {
            "color": [colours.mark if each else colours.grid for each in framed],
            "width": [FRAME if each else 1 for each in framed],
        },
    }


def shades(scale: Scale, values: Values) -> list[str]:
    """Return the colour of each value in [0, 1] on a scale."""
    return [mix(scale, float(value)) for value in values]
