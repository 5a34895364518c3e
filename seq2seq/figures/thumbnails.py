"""Pictures as small as icons, as SVG: a matrix of weights, states side by side, bars of scores.

They hold numbers and colours only, no text of anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seq2seq.figures.theme import mix, palette

WIDTH, HEIGHT = 96, 56
MOST = 16  # rows and columns that are drawn


def matrix_thumbnail(weights: np.ndarray, dark: bool = False) -> str:
    """Draw weights (rows, columns) from 0 to 1: the stronger, the bluer."""
    scale = palette(dark).attention
    shown = weights[:MOST, :MOST].astype(np.float32)
    return _cells([[mix(scale, float(value) ** 0.6) for value in row] for row in shown])


def states_thumbnail(states: np.ndarray, dark: bool = False) -> str:
    """Draw states (positions, width) as columns of their first units, around 0."""
    scale = palette(dark).diverging
    shown = states[:MOST, :MOST].astype(np.float32).T
    most = float(np.abs(shown).max()) or 1.0
    return _cells([[mix(scale, 0.5 + float(value) / most / 2) for value in row] for row in shown])


def bars_thumbnail(scores: Sequence[float], dark: bool = False) -> str:
    """Draw scores as bars from 0, the highest as tall as the picture."""
    colour, most = mix(palette(dark).probability, 0.6), max(scores)
    wide = WIDTH / len(scores)
    bars = (
        f'<rect x="{i * wide:.1f}" y="{HEIGHT * (1 - score / most):.1f}" width="{wide * 0.8:.1f}" '
        f'height="{HEIGHT * score / most:.1f}" fill="{colour}"/>'
        for i, score in enumerate(scores)
    )
    return _svg("".join(bars))


def _cells(rows: list[list[str]]) -> str:
    high, wide = HEIGHT / len(rows), WIDTH / len(rows[0])
    return _svg(
        "".join(
            f'<rect x="{j * wide:.1f}" y="{i * high:.1f}" width="{wide + 0.2:.1f}" '
            f'height="{high + 0.2:.1f}" fill="{colour}"/>'
            for i, row in enumerate(rows)
            for j, colour in enumerate(row)
        )
    )


def _svg(inside: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{inside}</svg>'
    )
