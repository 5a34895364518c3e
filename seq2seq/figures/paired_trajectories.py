"""The states of two runs in order, as two paths on one projection."""

from __future__ import annotations

import numpy as np

from seq2seq.analysis.projection import fit
from seq2seq.figures.drawing import Drawing, Picture
from seq2seq.figures.sentence_map import map_csv, trajectories
from seq2seq.trace import Trace, label

SIDES = ("Encoder", "Decoder")
NAMES = ("before", "after")


@Picture
def paired_trajectories(
    before: Trace, after: Trace, side: str = SIDES[0], dark: bool = False
) -> Drawing:
    """Draw where the states of two runs go, and where they part; side: one of SIDES.

    Both are fitted together, so that their distances can be compared.
    """
    paths, explained = _paths(before, after, side)
    return trajectories.plain(paths, explained, 1, dark)


def paired_trajectories_csv(before: Trace, after: Trace, side: str = SIDES[0]) -> str:
    """Write the points that are drawn: a row a state."""
    paths, _ = _paths(before, after, side)
    return map_csv(
        np.concatenate([points for _, points, _ in paths]),
        [token for _, _, tokens in paths for token in tokens],
        {"run": [name for name, points, _ in paths for _ in points]},
    )


def _paths(
    before: Trace, after: Trace, side: str
) -> tuple[list[tuple[str, np.ndarray, list[str]]], list[float]]:
    sides = [
        (trace.decoder_states, trace.target)
        if side == "Decoder"
        else (trace.encoder_states, trace.source)
        for trace in (before, after)
    ]
    found = fit(np.concatenate([states for states, _ in sides]), 2)
    paths = [
        (name, found.points(states), [label(piece) for piece in tokens.pieces])
        for name, (states, tokens) in zip(NAMES, sides, strict=True)
    ]
    return paths, found.explained.tolist()
