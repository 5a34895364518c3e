"""The curves that an experiment has measured, with what was predicted drawn into them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seq2seq.figures.csv_table import table
from seq2seq.figures.curves import XAxis, curves, curves_csv
from seq2seq.figures.drawing import Drawing, Picture
from seq2seq.figures.marks import rectangle
from seq2seq.figures.theme import mix, palette

if TYPE_CHECKING:
    from seq2seq.experiments.result import Result

MARKED_LOGARITHMIC, MARKED_LINEAR = 12, 8  # points up to which each is labelled on the axis


@Picture
def experiment(
    result: Result, predicted: tuple[float, float] | None = None, dark: bool = False
) -> Drawing:
    """Draw a result; predicted: from where to where the value was expected, None for no answer.

    customdata: of a point, where it stands on the horizontal axis.
    """
    axes = result.axes
    few = MARKED_LOGARITHMIC if axes.logarithmic else MARKED_LINEAR
    at_points = not axes.ticks and max(len(curve.x) for curve in result.curves) <= few
    across = XAxis(axes.x, axes.ticks, at_points, axes.logarithmic)
    drawn = curves.plain(result.curves, across, axes.y, dark)
    for trace, curve in zip(drawn.data, result.curves, strict=True):
        trace["customdata"] = [[x] for x in curve.x]
        if not axes.ordered:
            trace["mode"] = "markers"
    if predicted is not None:
        low, high = predicted
        top = max(max(curve.high or curve.y) for curve in result.curves)
        colours = palette(dark)
        high = high if math.isfinite(high) else max(top, low) * 1.05
        band = rectangle((0, 1), (max(0.0, low), high), {"width": 0}, xref="x domain")
        fill = {"fillcolor": mix(colours.probability, 0.5), "opacity": 0.18, "layer": "below"}
        drawn.add_shape(band | fill)
        place = {"xref": "x domain", "x": 0, "y": high, "xanchor": "left", "yanchor": "top"}
        font = {"color": colours.text, "size": 12}
        text = {"text": "your answer", "font": font, "showarrow": False}
        drawn.add_annotation(text | place)
    return drawn


def experiment_csv(result: Result) -> str:
    """Return every point, and after an empty line the table of what was measured one by one."""
    rows = zip(*result.table.values(), strict=True)
    points = curves_csv(result.curves, result.axes.ticks)
    return points + "\n" + table(tuple(result.table), rows)
