"""Colours and the layout that all figures share, for a light and a dark page."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

LABELS_UP_TO = 60  # tokens on one axis
MARGIN = 8  # pixels between the edge of a figure and its labels
TRANSPARENT = "rgba(0,0,0,0)"  # the page shows through
SMALL = {"size": 12}  # font of what explains a picture
Scale = tuple[tuple[float, str], ...]


class Palette(NamedTuple):
    """Colours of one theme. Scales begin near the page's own colour, so that 0 fades into it.

    diverging: from the lowest value over 0, in the middle, to the highest one; purple and green
    stay apart for the colour-blind.
    """

    text: str
    page: str
    grid: str
    mark: str
    attention: Scale
    probability: Scale
    diverging: Scale


LIGHT = Palette(
    text="#0d1520",
    page="#ffffff",
    grid="#d9dee5",
    mark="#1f7a35",
    attention=((0.0, "#f7fbff"), (0.5, "#6ba3d6"), (1.0, "#08306b")),
    probability=((0.0, "#fffaf0"), (0.5, "#f0b95a"), (1.0, "#9c4f05")),
    diverging=((0.0, "#762a83"), (0.5, "#f7f7f7"), (1.0, "#1b7837")),
)
DARK = Palette(
    text="#e6eaf0",
    page="#11161d",
    grid="#39434f",
    mark="#5fc977",
    attention=((0.0, "#161d26"), (0.5, "#2f6fae"), (1.0, "#b9dcff")),
    probability=((0.0, "#1f1a12"), (0.5, "#a8650f"), (1.0, "#ffd591")),
    diverging=((0.0, "#dba8e6"), (0.5, "#161d26"), (1.0, "#8fdc9f")),
)


def palette(dark: bool) -> Palette:
    """Return the colours for a page."""
    return DARK if dark else LIGHT


def mix(scale: Scale, value: float) -> str:
    """Return the colour of a value in [0, 1] on a scale, as #rrggbb."""
    value = min(max(value, 0.0), 1.0)
    for (low, first), (high, second) in itertools.pairwise(scale):
        if value <= high:
            share = (value - low) / (high - low)
            pairs = zip(_channels(first), _channels(second), strict=True)
            return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
    return scale[-1][1]


def readable_on(colour: str) -> str:
    """Return black or white, whichever stands out more on a colour (WCAG 2.1, 1.4.3)."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def escape(text: str) -> str:
    """Return text that plotly shows as it is: it would read tags and entities otherwise."""
    return html.escape(text, quote=False)


def margins(**sides: int) -> dict[str, int]:
    """Return margins in pixels, by "l", "r", "t" and "b"; MARGIN where a side is not given."""
    return dict.fromkeys("lrtb", MARGIN) | sides


def figure(colours: Palette, height: int, **layout: Any) -> go.Figure:
    """Return an empty figure in the colours of the page; height in pixels."""
    return go.Figure(
        layout={
            "template": "none",
            "height": height,
            "margin": margins(),
            "font": {"color": colours.text, "size": 13},
            "paper_bgcolor": TRANSPARENT,
            "plot_bgcolor": TRANSPARENT,
            "hoverlabel": {"bgcolor": colours.page, "font": {"color": colours.text}},
            "hovermode": "closest",
            "dragmode": False,
            "showlegend": False,
            **layout,
        }
    )


def add_key(
    drawn: go.Figure, title: str, marks: Iterable[tuple[str, str]], below: float = 8
) -> None:
    """Write below a plot what its colours stand for: (text, colour) each, after a title.

    below: pixels under the plot. A colour bar takes plotly as long as the figure.
    """
    parts = (f'<span style="color:{colour}">■</span> {text}' for text, colour in marks)
    text = f"{title}: {' '.join(parts)}"
    add_title(drawn, text, (0, 0), xanchor="left", yanchor="top", yshift=-below, font=SMALL)


def add_title(drawn: go.Figure, text: str, place: tuple[float, float], **more: Any) -> None:
    """Write a text at a place of the plot, from (0, 0) to (1, 1); above it unless more says so."""
    settings = {"xref": "paper", "yref": "paper", "yanchor": "bottom", "showarrow": False, **more}
    drawn.add_annotation(text=text, x=place[0], y=place[1], **settings)


def signed_key(most: float, colours: Palette) -> str:
    """Return what the two ends of the diverging scale stand for, as part of an axis title.

    most: the value of the strongest colours.
    """
    low, high = colours.diverging[0][1], colours.diverging[-1][1]
    return (
        f'<span style="color:{low}">■</span> to {-most:.2g}, '
        f'<span style="color:{high}">■</span> to {most:.2g}'
    ).replace("-", "−")


def legend(y: float, **more: Any) -> dict[str, Any]:
    """Return a legend in one line; y: its place, 0 at the foot of the plot and 1 at its top."""
    return {"orientation": "h", "y": y, **more}


def axis(
    title: str | None = None,
    standoff: int | None = None,
    size: int | None = None,
    room: bool = True,
    **more: Any,
) -> dict[str, Any]:
    """Return an axis that cannot be zoomed, without lines; tick marks read as minus signs.

    standoff: pixels between labels and title. size: of the title's letters, in pixels. room: for
    its labels, which `label_margins.fit` adds to the margin.
    """
    made: dict[str, Any] = {"showgrid": False, "zeroline": False, "fixedrange": True}
    made["ticks"] = ""
    if title is not None:
        made["title"] = {"text": title}
        if standoff is not None:
            made["title"]["standoff"] = standoff
        if size is not None:
            made["title"]["font"] = {"size": size}
    if room:
        made["automargin"] = True
    return made | more


def value_axis(
    colours: Palette, title: str, zero: str | None = None, **more: Any
) -> dict[str, Any]:
    """Return an axis of numbers, with a grid; zero: the colour of the line at 0, if there is one.

    more: as `axis` takes it.
    """
    line: dict[str, Any] = {"zeroline": None, "zerolinecolor": zero} if zero else {}
    return axis(title, showgrid=None, gridcolor=colours.grid, **line, **more)


def share_axis(colours: Palette, title: str, most: float = 1, **more: Any) -> dict[str, Any]:
    """Return an axis of shares of 1, in percent, up to the most."""
    return value_axis(colours, title, range=[0, most], tickformat=".0%", **more)


def name_axis(names: Sequence[str]) -> dict[str, Any]:
    """Return a vertical axis with a row for each name, the first on top."""
    return axis(
        tickvals=list(range(len(names))),
        ticktext=list(names),
        range=[len(names) - 0.5, -0.5],
        zeroline=None,
    )


def hidden_axis(first: float, last: float) -> dict[str, Any]:
    """Return an axis from one end to the other of which nothing is seen."""
    return {"range": [first, last], "visible": False, "fixedrange": True}


def token_axis(
    labels: list[str], title: str, downwards: bool = False, **more: Any
) -> dict[str, Any]:
    """Return an axis whose positions are numbers from 1 and whose labels are tokens.

    Plotly merges equal categories, and a sentence may hold one word twice. Where the labels would
    run into each other they are left to the hover text.
    """
    labelled = len(labels) <= LABELS_UP_TO
    tokens = {
        "tickmode": "array",
        "tickvals": list(range(1, len(labels) + 1)) if labelled else [],
        "ticktext": [escape(label) for label in labels] if labelled else [],
        "tickfont": {"size": 12 if len(labels) <= 25 else 9},
        "range": [len(labels) + 0.5, 0.5] if downwards else [0.5, len(labels) + 0.5],
        "tickangle": 0 if downwards else (-45 if len(labels) <= 12 else -90),
        # What reaches beyond the plot has its room in the margin.
        "ticklabeloverflow": "allow",
    }
    return axis(title, 6, **tokens | more)


def time_axis(count: int, each: float, title: str, **more: Any) -> dict[str, Any]:
    """Return an axis of so many positions, each so many seconds long, labelled in seconds."""
    length = count * each
    step = next((s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if length / s <= 12), 10.0)
    ticks = [number * step for number in range(int(length / step) + 1)]
    labels = [f"{tick:g}" for tick in ticks]
    made = token_axis([""] * count, title, **more)
    # The first position begins at half a unit before 1.
    return made | {"tickvals": [tick / each + 0.5 for tick in ticks], "ticktext": labels}
