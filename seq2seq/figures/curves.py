"""Curves of what was measured: scores over lengths, data or time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seq2seq.evaluation.results import Curve
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, scatter
from seq2seq.figures.label_margins import fit
from seq2seq.figures.theme import Palette, escape, figure, legend, margins, palette, value_axis

# Dark enough, or light enough, for a line on the page (WCAG 2.1, 1.4.11), in hues that the
# colour-blind tell apart (Okabe and Ito 2008). Marks differ as well.
ON_LIGHT = ("#0072b2", "#c2500a", "#00795b", "#9b3f8f", "#7a5c00", "#c02045", "#30506e")
ON_DARK = ("#56b4e9", "#f09a4d", "#3fd3a4", "#e39bd8", "#f0e442", "#ff8fa3", "#b9c8d8")
MARKS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x")
MARKED_UP_TO = 40  # points of a curve that are marked one by one


@dataclass(frozen=True)
class XAxis:
    """The horizontal axis of curves.

    ticks: labels at 1, 2 and so on, () for numbers. at_points: the numbers at which there are
    points are labelled.
    """

    title: str
    ticks: Sequence[str] = ()
    at_points: bool = False
    logarithmic: bool = False


@Picture
def curves(lines: Sequence[Curve], across: XAxis, upwards: str, dark: bool = False) -> Drawing:
    """Draw curves into one plot, with a bar for each 95 % interval.

    upwards: title of the vertical axis.
    """
    colours = palette(dark)
    drawn = figure(
        colours,
        height=360,
        margin=margins(r=16),
        showlegend=len(lines) > 1,
        legend=legend(1.02, yanchor="bottom", x=0),
        xaxis=_x_axis(across, lines, colours),
        yaxis=value_axis(colours, upwards, rangemode="tozero"),
    )
    hues = ON_DARK if dark else ON_LIGHT
    for number, line in enumerate(lines):
        hue = hues[number % len(hues)]
        # Intervals at one place would cover each other.
        aside = 0.06 * (number - (len(lines) - 1) / 2) if across.ticks else 0.0
        drawn.add_trace(
            scatter(
                name=escape(line.name),
                x=[x + aside for x in line.x],
                y=line.y,
                mode="lines+markers" if len(line.x) <= MARKED_UP_TO else "lines",
                line={"color": hue, "width": 2},
                marker={"symbol": MARKS[number % len(MARKS)], "size": 8},
                error_y=_intervals(line, hue) if line.low else None,
                hovertext=_texts(line, across, upwards),
                hoverinfo="text",
            )
        )
    return fit(drawn)


def _x_axis(across: XAxis, lines: Sequence[Curve], colours: Palette) -> dict[str, Any]:
    made = value_axis(colours, across.title, standoff=6)
    made["type"] = "log" if across.logarithmic else "linear"
    if count := len(across.ticks):
        made |= {"tickvals": list(range(1, count + 1)), "range": [0.6, count + 0.4]}
        made["ticktext"] = [escape(tick) for tick in across.ticks]
    elif across.at_points:
        values = sorted({x for line in lines for x in line.x})
        made |= {"tickvals": values, "ticktext": [f"{x:,.0f}" for x in values]}
    return made


def _intervals(line: Curve, hue: str) -> dict[str, Any]:
    return {
        "array": [high - y for y, high in zip(line.y, line.high, strict=True)],
        "arrayminus": [y - low for y, low in zip(line.y, line.low, strict=True)],
        "color": hue,
        "thickness": 1,
        "width": 3,
    }


def _texts(line: Curve, across: XAxis, upwards: str) -> list[str]:
    """Return the hover text of each point."""
    texts = []
    for place, (x, y) in enumerate(zip(line.x, line.y, strict=True)):
        at = f"{x:,.0f}" if x >= 10 else f"{x:.3g}"
        if across.ticks:
            at = escape(across.ticks[round(x) - 1])
        text = f"<b>{escape(line.name)}</b><br>{across.title}: {at}<br>{upwards}: {y:.2f}"
        if line.low:
            text += f" (95 %: {line.low[place]:.2f} to {line.high[place]:.2f})"
        texts.append(text + (f"<br>{escape(line.notes[place])}" if line.notes else ""))
    return texts


def curves_csv(lines: Sequence[Curve], ticks: Sequence[str] = ()) -> str:
    """Return every point: its curve, x, y, and the ends of its interval where it has one."""
    rows = []
    for line in lines:
        lows, highs = line.low or ("",) * len(line.x), line.high or ("",) * len(line.x)
        notes = line.notes or ("",) * len(line.x)
        for x, y, low, high, note in zip(line.x, line.y, lows, highs, notes, strict=True):
            rows.append((line.name, ticks[round(x) - 1] if ticks else x, y, low, high, note))
    return table(("curve", "x", "y", "low", "high", "note"), rows)
