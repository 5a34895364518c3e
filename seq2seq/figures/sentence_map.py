"""Sentences as points, and the trajectory of a run's states through the same space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from seq2seq.figures.csv_table import table
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import BLUE, FRAME
from seq2seq.figures.theme import (
    TRANSPARENT,
    Palette,
    escape,
    figure,
    legend,
    margins,
    name_axis,
    palette,
    share_axis,
    value_axis,
)

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
START, END = ("#2e9d4b", "diamond"), ("#a3402b", "square")
# So far away that the titles of the axes are inside the picture.
CAMERA = {"eye": {"x": 1.45, "y": 1.45, "z": 1.1}}
NEAR = 0.03  # of the picture, below which two labels would lie on each other

# States in order: a name, points (steps, 2 or 3), and a label of each.
Run = tuple[str, np.ndarray, Sequence[str]]


@dataclass(frozen=True, eq=False)
class Points:
    """Sentences and where they lie: places (count, 2 or 3), texts, and a label of each."""

    places: np.ndarray
    texts: Sequence[str]
    labels: Sequence[str] = ()


def sentence_map(
    sentences: Points,
    own: Points | None = None,
    explained: Sequence[float] = (),
    selected: int | None = None,
    near: Sequence[int] = (),
    dark: bool = False,
) -> go.Figure:
    """Draw sentences as points, coloured and shaped by label.

    own: further points, numbered from 1; their labels are not read. explained: share of the
    variance on each axis, () where axes have no meaning. selected: the ringed point, numbered
    through sentences and then own; near: those that lines join to it. customdata of a point is its
    number, through both.
    """
    colours, dimensions = palette(dark), sentences.places.shape[1]
    drawn = _empty(colours, 560, -0.12)
    for number, name in enumerate(sorted(set(sentences.labels))):
        drawn.add_trace(_group(sentences, name, GROUPS[number % len(GROUPS)]))
    everything = sentences.places
    if own is not None and len(own.places):
        everything = np.concatenate([everything, own.places])
        drawn.add_trace(_numbered(own, len(sentences.places), colours))
    if selected is not None and near:
        drawn.add_trace(_joined(everything, selected, near, colours))
    if selected is not None:
        drawn.add_trace(_ring(everything[selected : selected + 1], colours))
    _add_axes(drawn, colours, dimensions, explained)
    return fit(drawn)


def _empty(colours: Palette, height: int, below: float) -> go.Figure:
    key = legend(below, font={"size": 13})
    return figure(colours, height, showlegend=True, legend=key)


def _group(sentences: Points, name: str, look: tuple[str, str]) -> go.Scatter | go.Scatter3d:
    """Return the points of all sentences with a label; look: their colour and symbol."""
    chosen = [index for index, each in enumerate(sentences.labels) if each == name]
    size = 8 if sentences.places.shape[1] == 2 else 4
    return _scatter(
        sentences.places[chosen],
        name=escape(name),
        mode="markers",
        marker={"color": look[0], "symbol": look[1], "size": size},
        customdata=[[index] for index in chosen],
        hovertext=[f"{escape(sentences.texts[index])}<br>{escape(name)}" for index in chosen],
    )


def _numbered(own: Points, first: int, colours: Palette) -> go.Scatter | go.Scatter3d:
    """Return the visitor's points with their numbers; first: customdata of the first one."""
    count = len(own.places)
    return _scatter(
        own.places,
        name="your sentences",
        mode="markers+text",
        text=[str(number + 1) for number in range(count)],
        textposition="top center",
        marker={"color": colours.text, "symbol": "diamond", "size": 11},
        customdata=[[first + number] for number in range(count)],
        hovertext=[escape(text) for text in own.texts],
    )


def _joined(
    places: np.ndarray, selected: int, near: Sequence[int], colours: Palette
) -> go.Scatter | go.Scatter3d:
    """Return a line from the selected point to each of those near it."""
    gap = np.full(places.shape[1], np.nan)
    ends = np.stack([row for other in near for row in (places[selected], places[other], gap)])
    return _scatter(
        ends,
        name=f"its {len(near)} nearest, in all dimensions",
        mode="lines",
        line={"color": colours.mark, "width": 1.5},
        hoverinfo="skip",
    )


def _ring(place: np.ndarray, colours: Palette) -> go.Scatter | go.Scatter3d:
    return _scatter(
        place,
        mode="markers",
        marker={
            "color": colours.mark,
            "symbol": "circle-open",
            "size": 18 if place.shape[1] == 2 else 12,
            "line": {"width": FRAME, "color": colours.mark},
        },
        showlegend=False,
        hovertext=["selected"],
    )


def trajectories(
    runs: Sequence[Run],
    explained: Sequence[float] = (),
    parts: int = 1,
    dark: bool = False,
) -> go.Figure:
    """Draw states in order: (name, points (steps, 2 or 3), labels) each, of one or two runs.

    parts: how many of them are of one run; they share its colour, and all but the first are dotted.
    All points must come from one projection. A label that would lie on another is left out.
    """
    colours, dimensions = palette(dark), runs[0][1].shape[1]
    drawn = _empty(colours, 460, -0.15)
    for number, (run, texts) in enumerate(zip(runs, _labels(runs), strict=True)):
        colour = (FIRST, SECOND)[number // parts % 2]
        line = {"color": colour, "width": 2, "dash": "dot" if number % parts else "solid"}
        drawn.add_trace(_trajectory(run, texts, line, colours))
    for title, place, look in (("start", 0, START), ("end", -1, END)):
        size = 13 if dimensions == 2 else 7
        drawn.add_trace(
            _scatter(
                np.stack([points[place] for _, points, _ in runs]),
                name=title,
                mode="markers",
                marker={"color": look[0], "symbol": look[1], "size": size},
                hoverinfo="skip",
            )
        )
    _add_axes(drawn, colours, dimensions, explained)
    return fit(drawn)


def _labels(runs: Sequence[Run]) -> list[list[str]]:
    """Return the labels of all states of each run, "" for one that would lie on another."""
    taken: list[np.ndarray] = []
    spread = np.ptp(np.concatenate([points for _, points, _ in runs]), axis=0).max() or 1.0
    return [
        [
            escape(label) if _is_free(point, taken, NEAR * spread) else ""
            for label, point in zip(labels, points, strict=True)
        ]
        for _, points, labels in runs
    ]


def _trajectory(
    run: Run, texts: list[str], line: dict[str, Any], colours: Palette
) -> go.Scatter | go.Scatter3d:
    name, points, labels = run
    return _scatter(
        points,
        name=escape(name),
        mode="lines+markers+text",
        line=line,
        marker={"color": line["color"], "size": 7 if points.shape[1] == 2 else 4},
        text=texts,
        textposition="top center",
        textfont={"color": colours.text, "size": 12},
        hovertext=[
            f"{escape(name)}<br>{step}: {escape(label)}" for step, label in enumerate(labels, 1)
        ],
    )


def _is_free(point: np.ndarray, taken: list[np.ndarray], least: float) -> bool:
    """Tell whether a point lies so far from those that are taken; it is taken then."""
    if any(float(np.linalg.norm(point - other)) < least for other in taken):
        return False
    taken.append(point)
    return True


def agreements(
    shares: dict[str, tuple[float, float]], selected: str = "", dark: bool = False
) -> go.Figure:
    """Draw the share of neighbours that have each feature in common, and the share by chance."""
    colours, names = palette(dark), list(shares)
    drawn = figure(
        colours,
        height=90 + 34 * len(names),
        margin=margins(r=16),
        bargap=0.3,
        xaxis=share_axis(
            colours, "neighbours with the same value", 1.05, ticklabeloverflow="allow"
        ),
        yaxis=name_axis([f"<b>{name}</b>" if name == selected else name for name in names]),
    )
    drawn.add_trace(
        go.Bar(
            x=[shared for shared, _ in shares.values()],
            y=list(range(len(names))),
            orientation="h",
            marker={"color": BLUE},
            customdata=[[name] for name in names],
            hovertext=[
                f"{name}: same value for {shared:.0%} of the neighbours, {chance:.0%} by chance"
                for name, (shared, chance) in shares.items()
            ],
            hoverinfo="text",
        )
    )
    drawn.add_trace(
        go.Scatter(
            x=[chance for _, chance in shares.values()],
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


def agreements_csv(shares: dict[str, tuple[float, float]]) -> str:
    """Return the shares of neighbours that have a feature in common as CSV."""
    rows = ((name, f"{shared:.4f}", f"{chance:.4f}") for name, (shared, chance) in shares.items())
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
            title = f"principal component {number + 1}, {share} of the variance"
            title = title if dimensions == 2 else f"PC {number + 1}: {share}"
        axes[f"{name}axis"] = value_axis(colours, title, showticklabels=False)
    if dimensions == 2:
        drawn.update_layout(**axes)
        return
    for each in axes.values():  # one in space has neither
        del each["fixedrange"], each["automargin"]
        each |= {"backgroundcolor": TRANSPARENT, "color": colours.text}
    drawn.update_layout(scene=axes | {"camera": CAMERA}, dragmode="orbit")
