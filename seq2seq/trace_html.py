"""A run as a table for notebooks: plain HTML, without script or anything from outside."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

MAX_COLUMNS, MAX_ROWS = 40, 100
NUMBERED_FROM = 0.05  # smaller weights have their number in the tooltip alone
COLOUR = "70,130,180"  # of a weight of 1; readable on white and on black
CELL = "padding:2px 6px;text-align:center;border:1px solid rgba(128,128,128,.25)"


class Table(NamedTuple):
    """What the table shows.

    title: a line above it. source, target: pieces as readers see them. probabilities: (target,).
    weights: (target, source), None for a model without attention.
    """

    title: str
    source: Sequence[str]
    target: Sequence[str]
    probabilities: np.ndarray
    weights: np.ndarray | None


def to_html(table: Table) -> str:
    """Write a row for each output token: its probability and its attention weights.

    Neighbouring source tokens share a column, which has the sum of their weights, where there are
    more than MAX_COLUMNS; rows after MAX_ROWS are counted, not shown. All text is escaped.
    """
    heads, weights = _columns(table)
    rows = [
        _row(token, float(table.probabilities[step]), () if weights is None else weights[step])
        for step, token in enumerate(table.target[:MAX_ROWS])
    ]
    more = len(table.target) - len(rows)
    note = f"<p>and {more:,} more output tokens</p>" if more > 0 else ""
    head = "".join(f'<th style="{CELL}" dir="auto">{escape(each)}</th>' for each in heads)
    return (
        f'<div style="overflow-x:auto"><p dir="auto">{escape(table.title)}</p>'
        '<table style="border-collapse:collapse;font-size:90%"><thead><tr>'
        f'<th style="{CELL}">output</th><th style="{CELL}">p</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>{note}</div>"
    )


def _columns(table: Table) -> tuple[list[str], np.ndarray | None]:
    """Return the heads of the columns of weights, and the weights (target, columns)."""
    if table.weights is None:
        return [], None
    count = len(table.source)
    starts = np.unique(np.linspace(0, count, min(count, MAX_COLUMNS), endpoint=False).astype(int))
    ends = [*starts[1:], count]
    heads = [
        table.source[start] + (" …" if end - start > 1 else "")
        for start, end in zip(starts, ends, strict=True)
    ]
    return heads, np.add.reduceat(table.weights.astype(np.float64), starts, axis=1)


def _row(token: str, probability: float, weights: Sequence[float] | np.ndarray) -> str:
    cells = "".join(map(_cell, weights))
    return (
        f'<tr><th style="{CELL}" dir="auto">{escape(token)}</th>'
        f'<td style="{CELL}">{probability:.2f}</td>{cells}</tr>'
    )


def _cell(weight: float) -> str:
    shade = min(max(float(weight), 0.0), 1.0)
    number = f"{weight:.2f}" if weight >= NUMBERED_FROM else ""
    return (
        f'<td style="{CELL};background:rgba({COLOUR},{shade:.2f})" '
        f'title="α = {weight:.3f}">{number}</td>'
    )
