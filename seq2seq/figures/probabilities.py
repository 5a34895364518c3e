"""Token probabilities: of the output, and of the candidates at a step."""

from __future__ import annotations

import math

import numpy as np

from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, Settings, bar
from seq2seq.figures.label_margins import fit, width
from seq2seq.figures.marks import framed_bars, shades
from seq2seq.figures.theme import escape, figure, margins, palette, share_axis, token_axis
from seq2seq.trace import Trace, label


@Picture
def probabilities(trace: Trace, selected: int | None = None, dark: bool = False) -> Drawing:
    """Draw the probability of each output token, one bar a step."""
    tokens = [label(piece) for piece in trace.target.pieces]
    texts = [
        f"y{step + 1} <b>{escape(token)}</b><br>probability {value:.1%}, "
        f"log P {trace.log_probabilities[step]:.2f}<br>rank {trace.ranks[step] + 1:,}"
        for step, (token, value) in enumerate(zip(tokens, trace.probabilities, strict=True))
    ]
    return _steps(trace, trace.probabilities, texts, "probability", selected, dark)


@Picture
def copying(trace: Trace, selected: int | None = None, dark: bool = False) -> Drawing:
    """Draw the probability with which each step copies from the source, one bar a step.

    That is 1 - p_gen of See, Liu and Manning (2017, section 2.2). Raises ValueError for a trace of
    a model that cannot copy.
    """
    shares = _copying(trace)
    tokens = [label(piece) for piece in trace.target.pieces]
    texts = [
        f"y{step + 1} <b>{escape(token)}</b><br>copy probability {share:.1%}"
        for step, (token, share) in enumerate(zip(tokens, shares, strict=True))
    ]
    return _steps(trace, shares, texts, "copy probability", selected, dark)


def _copying(trace: Trace) -> np.ndarray:
    if trace.copying is None:
        raise ValueError("This model does not copy.")
    return trace.copying


def _steps(
    trace: Trace, values: np.ndarray, texts: list[str], title: str, selected: int | None, dark: bool
) -> Drawing:
    """Draw a share for each step; the customdata of a bar is its step, from 0."""
    colours = palette(dark)
    places = range(len(trace.target))
    drawn = figure(
        colours,
        height=260,
        bargap=0.15,
        xaxis=token_axis([label(piece) for piece in trace.target.pieces], "output →"),
        yaxis=share_axis(colours, title),
    )
    drawn.add_trace(
        bar(
            x=[step + 1 for step in places],
            y=values,
            marker=framed_bars(
                shades(colours.probability, values), [step == selected for step in places], colours
            ),
            customdata=[[step] for step in places],
            hovertext=texts,
            hoverinfo="text",
        )
    )
    return fit(drawn)


@Picture
def alternatives(trace: Trace, step: int, dark: bool = False) -> Drawing:
    """Draw the most probable tokens of a step, best on top; the chosen one is framed.

    A chosen token that is not among them comes last, with its rank. The customdata of a row is the
    id of its token.
    """
    colours, chosen = palette(dark), trace.target.ids[step]
    ids, pieces, values = _candidates(trace, step)
    texts = [
        f"<b>{escape(piece)}</b><br>probability {value:.1%}{'<br>chosen' * (token == chosen)}"
        for token, piece, value in zip(ids, pieces, values, strict=True)
    ]
    drawn = figure(
        colours,
        height=70 + 26 * len(pieces),
        margin=margins(r=math.ceil(width("100.0%", 13)) + 8),
        bargap=0.2,
        barmode="overlay",
        xaxis=share_axis(colours, "probability"),
        yaxis=token_axis(pieces, "", downwards=True),
    )
    framed = [token == chosen for token in ids]
    drawn.add_trace(
        bar(
            x=values,
            y=list(range(1, len(pieces) + 1)),
            orientation="h",
            marker=framed_bars(shades(colours.probability, values), framed, colours),
            text=[f"{value:.1%}" for value in values],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    drawn.add_trace(_whole_rows(ids, texts))
    return fit(drawn)


def _whole_rows(ids: list[int], texts: list[str]) -> Settings:
    """Return unseen bars from end to end: one of next to nothing could not be hit."""
    return bar(
        x=[1] * len(ids),
        y=list(range(1, len(ids) + 1)),
        orientation="h",
        marker={"opacity": 0},
        customdata=[[token] for token in ids],
        hovertext=texts,
        hoverinfo="text",
    )


def _candidates(trace: Trace, step: int) -> tuple[list[int], list[str], np.ndarray]:
    """Return ids, labels and probabilities of a step's best tokens, and of the chosen one."""
    best, chosen = trace.alternatives, trace.target.ids[step]
    ids, values = best.ids[step].tolist(), np.exp(best.log_probabilities[step])
    pieces = [label(piece) for piece in best.pieces[step]]
    if chosen not in ids:
        ids.append(chosen)
        pieces.append(f"{label(trace.target.pieces[step])} (rank {trace.ranks[step] + 1:,})")
        values = np.append(values, trace.probabilities[step])
    return ids, pieces, values


def probabilities_csv(trace: Trace) -> str:
    """Return the probability of each output token as CSV, steps from 1."""
    rows = zip(
        range(1, len(trace.target) + 1),
        trace.target.pieces,
        trace.probabilities.tolist(),
        trace.log_probabilities.tolist(),
        (trace.ranks + 1).tolist(),
        strict=True,
    )
    return table(("step", "token", "probability", "log_probability", "rank"), rows)


def copying_csv(trace: Trace) -> str:
    """Return the probability of copying at each step as CSV, steps from 1."""
    steps = range(1, len(trace.target) + 1)
    rows = zip(steps, trace.target.pieces, _copying(trace).tolist(), strict=True)
    return table(("step", "token", "p_copy"), rows)


def alternatives_csv(trace: Trace) -> str:
    """Return the most probable tokens of all steps as CSV, steps and ranks from 1."""
    found = trace.alternatives
    rows = (
        (step + 1, rank + 1, found.pieces[step][rank], f"{math.exp(value):.6f}", f"{value:.4f}")
        for (step, rank), value in np.ndenumerate(found.log_probabilities)
    )
    return table(("step", "rank", "token", "probability", "log_probability"), rows)
