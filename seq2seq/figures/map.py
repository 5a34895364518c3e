"""Sentences as points, and the way of a run's states through the same space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from seq2seq.figures.margins import fit
from seq2seq.figures.palette import Palette, escape, figure, palette
from seq2seq.figures.tables import table

# Colours that stay apart for colour-blind eyes (Okabe and Ito 2008), each with a shape of its own.
GROUPS = (
    ("#0072b2", "circle"),
    ("#d55e00", "diamond"),
    ("#009e73", "square"),
    ("#cc79a7", "cross"),
    ("#e69f00", "square-open"),
    ("#56b4e9", "circle-open"),
    ("#8a8a00", "diamond-open"),
)
FIRST, SECOND = "#4e9c57", "#9c6d9b"
START, END = "#2e9d4b", "#a3402b"


def sentence_map(
    points: np.ndarray,
    texts: Sequence[str],
    labels: Sequence[str],
    explained: Sequence[float] = (),
    own: np.ndarray | None = None,
    own_texts: Sequence[str] = (),
    selected: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw sentences as points (count, 2 or 3), coloured and shaped by label.

    explained: share of the variance on each axis, () where axes have no meaning. own, own_texts:
    further points, numbered from 1. selected: the ringed point, numbered through points and then
    own. customdata of a point is its number, through both.
    """
    colours, dimensions = palette(dark), points.shape[1]
    drawn = figure(colours, height=560, margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=True)
    names = list(dict.fromkeys(labels))
    for number, name in enumerate(sorted(names)):
        colour, symbol = GROUPS[number % len(GROUPS)]
        chosen = [index for index, each in enumerate(labels) if each == name]
        drawn.add_trace(
            _scatter(
                points[chosen],
                name=escape(name),
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 8 if dimensions == 2 else 4},
                customdata=[[index] for index in chosen],
                hovertext=[f"{escape(texts[index])}<br>{escape(name)}" for index in chosen],
            )
        )
    if own is not None and len(own):
        drawn.add_trace(
            _scatter(
                own,
                name="yours",
                mode="markers+text",
                text=[str(number + 1) for number in range(len(own))],
                textposition="top center",
                marker={"color": colours.text, "symbol": "diamond", "size": 11},
                customdata=[[len(points) + number] for number in range(len(own))],
                hovertext=[escape(text) for text in own_texts],
            )
        )
    if selected is not None:
        everything = points if own is None else np.concatenate([points, own])
        drawn.add_trace(
            _scatter(
                everything[selected : selected + 1],
                mode="markers",
                marker={
                    "color": colours.mark,
                    "symbol": "circle-open",
                    "size": 18 if dimensions == 2 else 12,
                    "line": {"width": 3, "color": colours.mark},
                },
                showlegend=False,
                hovertext=["selected"],
            )
        )
    _add_axes(drawn, colours, dimensions, explained)
    drawn.update_layout(legend={"orientation": "h", "y": -0.12, "font": {"size": 13}})
    return fit(drawn)


def trajectories(
    runs: Sequence[tuple[str, np.ndarray, Sequence[str]]],
    explained: Sequence[float] = (),
    dark: bool = False,
) -> go.Figure:
    """Draw the states of one or two runs in order: (name, points (steps, 2 or 3), labels) each.

    The start is green, the end red-brown. The points of all runs must come from one projection.
    """
    colours, dimensions = palette(dark), runs[0][1].shape[1]
    drawn = figure(colours, height=460, margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=True)
    for (name, points, labels), colour in zip(runs, (FIRST, SECOND), strict=False):
        ends = [colour] * len(points)
        ends[0], ends[-1] = START, END
        drawn.add_trace(
            _scatter(
                points,
                name=escape(name),
                mode="lines+markers+text",
                line={"color": colour, "width": 2},
                marker={"color": ends, "size": 9 if dimensions == 2 else 5},
                text=[escape(label) for label in labels],
                textposition="top center",
                textfont={"color": colours.text, "size": 12},
                hovertext=[
                    f"{escape(name)}<br>{number + 1}: {escape(label)}"
                    for number, label in enumerate(labels)
                ],
            )
        )
    _add_axes(drawn, colours, dimensions, explained)
    drawn.update_layout(legend={"orientation": "h", "y": -0.15, "font": {"size": 13}})
    return fit(drawn)


def agreements(
    found: dict[str, tuple[float, float]], selected: str = "", dark: bool = False
) -> go.Figure:
    """Draw the share of neighbours that have each feature in common, and the share by chance."""
    colours, names = palette(dark), list(found)
    drawn = figure(
        colours,
        height=90 + 34 * len(names),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        bargap=0.3,
        xaxis={
            "title": {"text": "neighbours that share it"},
            "range": [0, 1.02],
            "tickformat": ".0%",
            "gridcolor": colours.grid,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": [f"<b>{name}</b>" if name == selected else name for name in names],
            "range": [len(names) - 0.5, -0.5],
            "fixedrange": True,
            "automargin": True,
            "showgrid": False,
        },
    )
    drawn.add_trace(
        go.Bar(
            x=[shared for shared, _ in found.values()],
            y=list(range(len(names))),
            orientation="h",
            marker={"color": "#6ba3d6"},
            customdata=[[name] for name in names],
            hovertext=[
                f"{name}: {shared:.0%} of the neighbours share it, {chance:.0%} by chance"
                for name, (shared, chance) in found.items()
            ],
            hoverinfo="text",
        )
    )
    drawn.add_trace(
        go.Scatter(
            x=[chance for _, chance in found.values()],
            y=list(range(len(names))),
            mode="markers",
            marker={"symbol": "line-ns", "size": 22, "line": {"width": 3, "color": colours.text}},
            hoverinfo="skip",
        )
    )
    return fit(drawn)


def map_csv(points: np.ndarray, texts: Sequence[str], features: Mapping[str, Sequence[str]]) -> str:
    """Return points (count, 2 or 3), their sentences and features as CSV."""
    axes = ("x", "y", "z")[: points.shape[1]]
    columns = list(features.values())
    rows = (
        (text, *(f"{value:.5f}" for value in point), *(column[index] for column in columns))
        for index, (text, point) in enumerate(zip(texts, points, strict=True))
    )
    return table(("sentence", *axes, *features), rows)


def agreements_csv(found: dict[str, tuple[float, float]]) -> str:
    """Return the shares of neighbours that have a feature in common as CSV."""
    rows = ((name, f"{shared:.4f}", f"{chance:.4f}") for name, (shared, chance) in found.items())
    return table(("feature", "shared", "by_chance"), rows)


def _scatter(points: np.ndarray, **settings: Any) -> go.Scatter | go.Scatter3d:
    x, y, *z = (axis.tolist() for axis in points.T)
    settings = {"hoverinfo": "text", **settings}
    if z:
        return go.Scatter3d(x=x, y=y, z=z[0], **settings)
    unfaded = {"marker": {"opacity": 1}}
    return go.Scatter(x=x, y=y, selected=unfaded, unselected=unfaded, **settings)


def _add_axes(
    drawn: go.Figure, colours: Palette, dimensions: int, explained: Sequence[float]
) -> None:
    axes = {}
    for number, name in enumerate(("x", "y", "z")[:dimensions]):
        title = ""
        if len(explained) > number:
            share = f"{explained[number]:.0%}"
            title = f"direction {number + 1}, {share} of the variance"
            title = title if dimensions == 2 else f"{number + 1}: {share}"
        axes[f"{name}axis"] = {
            "title": {"text": title},
            "gridcolor": colours.grid,
            "zeroline": False,
            "showticklabels": False,
            "automargin": True,
        }
    if dimensions == 3:
        for axis in axes.values():
            axis |= {"backgroundcolor": "rgba(0,0,0,0)", "color": colours.text}
            del axis["automargin"]
        drawn.update_layout(scene=axes, dragmode="orbit")
    else:
        for axis in axes.values():
            axis["fixedrange"] = True
        drawn.update_layout(**axes)
