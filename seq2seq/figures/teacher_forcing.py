"""A reference beside what the model wrote itself: how well it knew each token."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from seq2seq.analysis.reference_comparison import first_choice, first_difference
from seq2seq.figures.csv_table import table
from seq2seq.figures.label_margins import fit
from seq2seq.figures.theme import escape, figure, palette
from seq2seq.trace import Trace, label

FIRST_FEW = 5  # ranks that count as nearly said
# By rank: the first choice, among the first few, further down. Okabe and Ito 2008: the colour-blind
# tell them apart.
RANKS = ("#0072b2", "#e69f00", "#d55e00")


def rank_colour(rank: int) -> str:
    """Return the colour of a token by its rank, from 0."""
    return RANKS[0 if rank == 0 else 1 if rank < FIRST_FEW else 2]


def side_by_side(
    own: Trace,
    reference: Trace,
    selected: tuple[int, int] | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw the probability of each token: bars for the reference, points for the own output.

    selected: the framed step of each, own first. The customdata of a click is (side, step), where
    side is 0 for the own output and 1 for the reference.
    """
    colours, differ = palette(dark), first_difference(own, reference)
    count = max(len(own.target), len(reference.target))
    drawn = figure(
        colours,
        height=260,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        bargap=0.25,
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={
            "title": {"text": "step", "standoff": 4},
            "range": [0.4, count + 0.6],
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
        yaxis={
            "title": {"text": "probability"},
            "range": [0, 1.03],
            "tickformat": ".0%",
            "gridcolor": colours.grid,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
    )
    framed = [selected is not None and step == selected[1] for step in range(len(reference.target))]
    drawn.add_trace(
        go.Bar(
            name="reference",
            x=np.arange(1, len(reference.target) + 1),
            y=reference.probabilities,
            marker={
                "color": [rank_colour(rank) for rank in reference.ranks.tolist()],
                "line": {
                    "color": [colours.mark if frame else colours.grid for frame in framed],
                    "width": [3 if frame else 1 for frame in framed],
                },
            },
            customdata=[[1, step] for step in range(len(reference.target))],
            hovertext=_texts(reference, "reference"),
            hoverinfo="text",
        )
    )
    chosen = [selected is not None and step == selected[0] for step in range(len(own.target))]
    drawn.add_trace(
        go.Scatter(
            name="its own output",
            x=np.arange(1, len(own.target) + 1),
            y=own.probabilities,
            mode="lines+markers",
            line={"color": colours.text, "width": 1, "dash": "dot"},
            marker={
                "symbol": "diamond",
                "size": [13 if frame else 9 for frame in chosen],
                "color": [colours.mark if frame else colours.text for frame in chosen],
                "line": {"color": colours.page, "width": 1},
            },
            customdata=[[0, step] for step in range(len(own.target))],
            hovertext=_texts(own, "its own output"),
            hoverinfo="text",
        )
    )
    if differ is not None:
        drawn.add_vline(differ + 0.5, line={"color": colours.mark, "width": 2, "dash": "dash"})
    return fit(drawn)


def _texts(trace: Trace, name: str) -> list[str]:
    tokens = zip(
        trace.target.pieces, trace.probabilities.tolist(), trace.ranks.tolist(), strict=True
    )
    return [
        f"{name}, step {step}: <b>{escape(label(piece))}</b><br>probability {value:.1%}, "
        f"number {rank + 1} of all tokens"
        for step, (piece, value, rank) in enumerate(tokens, start=1)
    ]


def side_by_side_csv(own: Trace, reference: Trace) -> str:
    """Return each token of both with its probability, and what was most probable there."""
    rows = (
        (
            name,
            step + 1,
            piece,
            f"{trace.probabilities[step]:.6f}",
            trace.ranks[step] + 1,
            first_choice(trace, step),
        )
        for name, trace in (("reference", reference), ("own", own))
        for step, piece in enumerate(trace.target.pieces)
    )
    return table(("output", "step", "token", "probability", "rank", "most_probable"), rows)
