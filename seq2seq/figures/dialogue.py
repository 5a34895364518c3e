"""Attention of a reply to the turns of a conversation, and the effect of removing each turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from seq2seq.analysis.passages import part_numbers
from seq2seq.data.dialogue import turn_spans
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, Settings, bar
from seq2seq.figures.label_margins import fit
from seq2seq.figures.theme import (
    escape,
    figure,
    margins,
    mix,
    palette,
    share_axis,
    token_axis,
    value_axis,
)
from seq2seq.trace import Tokens, Trace, label

MOST_BARS = 100  # tokens drawn; the CSV has all
BETWEEN = "separators and special tokens"
# A legend under the labels of the axis, however high these are; a click hides nothing.
BELOW: dict[str, Any] = {
    "yref": "container",
    "y": 0,
    "yanchor": "bottom",
    "x": 0,
    "xanchor": "left",
    "traceorder": "normal",
    "itemclick": False,
    "itemdoubleclick": False,
}


def turn_numbers(source: Tokens, separator: str) -> list[int]:
    """Return the turn that each source token belongs to, from 0.

    -1 for what no turn has: special tokens, and those that hold a part of the separator. Without a
    separator all is one turn.
    """
    turns = turn_spans(source.text, separator)
    numbers = zip(part_numbers(source, source.spans, turns), source.spans, strict=True)
    return [
        -1 if number is None or end > turns[number][1] else number for number, (_, end) in numbers
    ]


def turn_shares(trace: Trace, separator: str) -> np.ndarray:
    """Sum attention over the turns, mean of all layers and heads: (target, turns + 1).

    The last column is what belongs to no turn. Raises ValueError for a model without attention.
    """
    if trace.attention is None:
        raise ValueError("This model has no attention.")
    numbers = np.array(turn_numbers(trace.source, separator))
    columns = [*range(numbers.max() + 1), -1]
    weights = trace.attention.mean(axis=(1, 2), dtype=np.float32)
    return np.stack([weights[:, numbers == column].sum(axis=1) for column in columns], axis=1)


def turn_colours(by_model: Sequence[bool], dark: bool = False) -> list[str]:
    """Return a colour for each turn, oldest first.

    Blue for the visitor and amber for the model; later turns are stronger.
    """
    colours = palette(dark)
    chosen = []
    for number, model in enumerate(by_model):
        later = sum(other == model for other in by_model[number + 1 :])
        strength = max(0.25, 0.8 - 0.2 * later)
        chosen.append(mix(colours.probability if model else colours.attention, strength))
    return chosen


@Picture
def turn_attention(
    trace: Trace,
    separator: str,
    labels: Sequence[str] = (),
    by_model: Sequence[bool] = (),
    dark: bool = False,
) -> Drawing:
    """Draw how the attention of each token of a reply is distributed over the turns, a bar each.

    labels, by_model: of each turn that was read, oldest first; of any other number they are left
    out. Raises ValueError for a model without attention.
    """
    colours, shares = palette(dark), turn_shares(trace, separator)[:MOST_BARS]
    count, total = shares.shape[1] - 1, len(trace.target)
    if len(labels) != count or len(by_model) != count:
        labels, by_model = [f"turn {number + 1}" for number in range(count)], [False] * count
    names = [escape(name) for name in [*labels, BETWEEN]]
    fills = [*turn_colours(by_model, dark), colours.grid]
    tokens = [label(piece) for piece in trace.target.pieces[:MOST_BARS]]
    title = "output →" if total <= MOST_BARS else f"output → ({MOST_BARS} of {total:,} tokens)"
    drawn = figure(
        colours,
        height=250 + 20 * len(names),
        margin=margins(b=90 + 20 * len(names)),
        barmode="stack",
        bargap=0.15,
        xaxis=token_axis(tokens, title),
        yaxis=share_axis(colours, "share of attention"),
        showlegend=True,
        legend=BELOW,
    )
    for name, fill, column in zip(names, fills, shares.T, strict=True):
        line = {"color": colours.page, "width": 1}
        drawn.add_trace(_turn_bars(name, {"color": fill, "line": line}, tokens, column))
    return drawn


def _turn_bars(
    name: str, marker: dict[str, Any], tokens: Sequence[str], shares: np.ndarray
) -> Settings:
    """Return a bar for each token: how much of its attention a turn received."""
    return bar(
        name=name,
        x=list(range(1, len(tokens) + 1)),
        y=shares,
        marker=marker,
        hovertext=[
            f"y{step} <b>{escape(token)}</b><br>{name}<br>{share:.0%} of the attention"
            for step, (token, share) in enumerate(zip(tokens, shares, strict=True), 1)
        ],
        hoverinfo="text",
    )


@Picture
def turn_worth(
    labels: Sequence[str], by_model: Sequence[bool], changes: Sequence[float], dark: bool = False
) -> Drawing:
    """Draw how the log-probability of a reply changes without each of the turns, oldest on top.

    changes: negative where the turn made the reply more probable.
    """
    colours = palette(dark)
    reach = 1.6 * max(1.0, *map(abs, changes))
    title = "Δ log P"
    drawn = figure(
        colours,
        height=70 + 34 * len(changes),
        bargap=0.25,
        xaxis=value_axis(colours, title, colours.text, standoff=6, range=[-reach, reach]),
        yaxis=token_axis([f"without {label.split()[0]}" for label in labels], "", downwards=True),
    )
    drawn.add_trace(
        bar(
            x=list(changes),
            y=list(range(1, len(changes) + 1)),
            orientation="h",
            marker={"color": turn_colours(by_model, dark)},
            text=[f"{change:+.2f}" for change in changes],
            textposition="outside",
            cliponaxis=False,
            hovertext=[
                f"without {escape(label)}<br>Δ log P {change:+.2f}: "
                + (f"{math.exp(min(50, abs(change))):.3g} times ")
                + ("less" if change < 0 else "more")
                + " probable"
                for label, change in zip(labels, changes, strict=True)
            ],
            hoverinfo="text",
        )
    )
    return fit(drawn)


def turn_worth_csv(labels: Sequence[str], changes: Sequence[float]) -> str:
    """Return how the log-probability of a reply changes without each turn as CSV."""
    rows = zip(labels, (f"{change:.6f}" for change in changes), strict=True)
    return table(("without", "delta_log_p"), rows)


def turn_attention_csv(trace: Trace, separator: str) -> str:
    """Return the attention of each token of a reply on each turn as CSV, both from 1."""
    shares = turn_shares(trace, separator)
    header = ["step", "token", *(f"turn_{n + 1}" for n in range(shares.shape[1] - 1)), "no_turn"]
    rows = (
        (step + 1, piece, *(f"{share:.6f}" for share in shares[step]))
        for step, piece in enumerate(trace.target.pieces)
    )
    return table(header, rows)
