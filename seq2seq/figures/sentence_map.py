"""Sentences as points, and the way of a run's states through the same space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from seq2seq.figures.csv_table import table
from seq2seq.figures.label_margins import fit
from seq2seq.figures.theme import Palette, escape, figure, palette

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
FIRST, SECOND = "#3f7fc4", "#9c6d9b"
START, END = "#2e9d4b", "#a3402b"
# So far away that the titles of the axes are inside the picture.
CAMERA = {"eye": {"x": 1.45, "y": 1.45, "z": 1.1}}
NEAR = 0.03  # of the picture, below which two labels would lie on each other


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
    parts: int = 1,
    dark: bool = False,
) -> go.Figure:
    """Draw states in order: (name, points (steps, 2 or 3), labels) each, of one or two runs.

    parts: how many of them are of one run; they share its colour, and all but the first are dotted.
    All points must come from one projection. A label that would lie on another is left away.
    """
    colours, dimensions = palette(dark), runs[0][1].shape[1]
    drawn = figure(colours, height=460, margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=True)
    taken: list[np.ndarray] = []
    spread = np.ptp(np.concatenate([points for _, points, _ in runs]), axis=0).max() or 1.0
    for number, (name, points, labels) in enumerate(runs):
        colour = (FIRST, SECOND)[number // parts % 2]
        drawn.add_trace(
            _scatter(
                points,
                name=escape(name),
                mode="lines+markers+text",
                line={"color": colour, "width": 2, "dash": "dot" if number % parts else "solid"},
                marker={"color": colour, "size": 7 if dimensions == 2 else 4},
                text=[
                    escape(label) if _is_free(point, taken, NEAR * spread) else ""
                    for label, point in zip(labels, points, strict=True)
                ],
                textposition="top center",
                textfont={"color": colours.text, "size": 12},
                hovertext=[
                    f"{escape(name)}<br>{step + 1}: {escape(label)}"
                    for step, label in enumerate(labels)
                ],
            )
        )
    for title, place, colour, symbol in (
        ("start", 0, START, "diamond"),
        ("end", -1, END, "square"),
    ):
        drawn.add_trace(
            _scatter(
                np.stack([points[place] for _, points, _ in runs]),
                name=title,
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 13 if dimensions == 2 else 7},
                hoverinfo="skip",
            )
        )
    _add_axes(drawn, colours, dimensions, explained)
    drawn.update_layout(legend={"orientation": "h", "y": -0.15, "font": {"size": 13}})
    return fit(drawn)


def _is_free(point: np.ndarray, taken: list[np.ndarray], least: float) -> bool:
    """Tell whether a point lies so far from those that are taken; it is taken then."""
    if any(float(np.linalg.norm(point - other)) < least for other in taken):
        return False
    taken.append(point)
    return True


def agreements(
    found: dict[str, tuple[float, float]], selected: str = "", dark: bool = False
) -> go.Figure:
    """Draw the share of neighbours that have each feature in common, and the share by chance."""
    colours, names = palette(dark), list(found)
    drawn = figure(
        colours,
        height=90 + 34 * len(names),
        margin={"l": 8, "r": 16, "t": 8, "b": 8},
        bargap=0.3,
        xaxis={
            "title": {"text": "neighbours that share it"},
            "range": [0, 1.05],
            "tickformat": ".0%",
            "ticklabeloverflow": "allow",
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
    return go.Scatter(x=x, y=y, **settings)


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
        drawn.update_layout(scene=axes | {"camera": CAMERA}, dragmode="orbit")
    else:
        for axis in axes.values():
            axis["fixedrange"] = True
        drawn.update_layout(**axes)
