"""Teacher forcing beside free running: the probability of each token."""

from __future__ import annotations

import numpy as np

from seq2seq.analysis.reference_comparison import first_choice, first_difference
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, Settings, bar, scatter
from seq2seq.figures.label_margins import fit
from seq2seq.figures.marks import framed_bars, upright
from seq2seq.figures.theme import Palette, axis, escape, figure, legend, palette, share_axis
from seq2seq.trace import Trace, label

FIRST_FEW = 5  # ranks that count as near the first choice
# By rank: the first choice, among the first few, further down. Okabe and Ito 2008: the colour-blind
# tell them apart.
RANKS = ("#0072b2", "#e69f00", "#d55e00")

TEACHER_FORCING, FREE_RUNNING = "Reference (teacher forcing)", "Free running"


def rank_colour(rank: int) -> str:
    """Return the colour of a token by its rank, from 0."""
    return RANKS[0 if rank == 0 else 1 if rank < FIRST_FEW else 2]


@Picture
def side_by_side(
    own: Trace,
    reference: Trace,
    selected: tuple[int, int] | None = None,
    dark: bool = False,
) -> Drawing:
    """Draw the probability of each token: bars for the reference, points for free running.

    selected: the framed step of each, free running first. The customdata of a click is (side,
    step), where side is 0 for free running and 1 for the reference.
    """
    colours, differ = palette(dark), first_difference(own, reference)
    count = max(len(own.target), len(reference.target))
    drawn = figure(
        colours,
        height=260,
        bargap=0.25,
        showlegend=True,
        legend=legend(1.02, yanchor="bottom", x=0),
        xaxis=axis("decoding step", 4, range=[0.4, count + 0.6]),
        yaxis=share_axis(colours, "probability", 1.03),
    )
    own_step, reference_step = (None, None) if selected is None else selected
    drawn.add_trace(_bars(reference, reference_step, colours))
    drawn.add_trace(_points(own, own_step, colours))
    if differ is not None:
        line = {"color": colours.mark, "width": 2, "dash": "dash"}
        drawn.add_shape(upright(differ + 0.5, line))
    return fit(drawn)


def _bars(reference: Trace, selected: int | None, colours: Palette) -> Settings:
    steps = range(len(reference.target))
    fills = [rank_colour(rank) for rank in reference.ranks.tolist()]
    return bar(
        name=TEACHER_FORCING,
        x=np.arange(1, len(steps) + 1),
        y=reference.probabilities,
        marker=framed_bars(fills, [step == selected for step in steps], colours),
        customdata=[[1, step] for step in steps],
        hovertext=_texts(reference, TEACHER_FORCING),
        hoverinfo="text",
    )


def _points(own: Trace, selected: int | None, colours: Palette) -> Settings:
    steps = range(len(own.target))
    return scatter(
        name=FREE_RUNNING,
        x=np.arange(1, len(steps) + 1),
        y=own.probabilities,
        mode="lines+markers",
        line={"color": colours.text, "width": 1, "dash": "dot"},
        marker={
            "symbol": "diamond",
            "size": [13 if step == selected else 9 for step in steps],
            "color": [colours.mark if step == selected else colours.text for step in steps],
            "line": {"color": colours.page, "width": 1},
        },
        customdata=[[0, step] for step in steps],
        hovertext=_texts(own, FREE_RUNNING),
        hoverinfo="text",
    )


def _texts(trace: Trace, name: str) -> list[str]:
    tokens = zip(
        trace.target.pieces, trace.probabilities.tolist(), trace.ranks.tolist(), strict=True
    )
    return [
        f"{name}, step {step}: <b>{escape(label(piece))}</b><br>probability {value:.1%}, "
        f"rank {rank + 1:,}"
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
