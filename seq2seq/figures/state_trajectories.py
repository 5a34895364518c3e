"""States in order, as paths on one projection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seq2seq.analysis.projection import fit
from seq2seq.figures.drawing import Drawing, Picture
from seq2seq.figures.sentence_map import map_csv, trajectories
from seq2seq.trace import Trace, label


class StatePath(NamedTuple):
    """States in order, (steps, width), by the tokens after which they stand."""

    title: str
    states: np.ndarray
    pieces: Sequence[str]


@Picture
def state_trajectories(paths: Sequence[StatePath], parts: int = 1, dark: bool = False) -> Drawing:
    """Draw the paths of one or two runs, fitted together, so that distances can be compared.

    parts: how many of the paths are of one run.
    """
    runs, explained = _projected(paths)
    return trajectories.plain(runs, explained, parts, dark)


def state_trajectories_csv(paths: Sequence[StatePath]) -> str:
    """Write the points that are drawn: a row a state."""
    runs, _ = _projected(paths)
    return map_csv(
        np.concatenate([points for _, points, _ in runs]),
        [token for _, _, tokens in runs for token in tokens],
        {"run": [title for title, points, _ in runs for _ in points]},
    )


@Picture
def paired_trajectories(
    before: Trace, after: Trace, side: str = "Encoder", dark: bool = False
) -> Drawing:
    """Draw where the states of two runs go, and where they part; side: "Encoder" or "Decoder"."""
    return state_trajectories.plain(_paired(before, after, side), dark=dark)


def paired_trajectories_csv(before: Trace, after: Trace, side: str = "Encoder") -> str:
    """Write the points that are drawn: a row a state."""
    return state_trajectories_csv(_paired(before, after, side))


def _paired(before: Trace, after: Trace, side: str) -> list[StatePath]:
    return [
        StatePath(name, trace.decoder_states, trace.target.pieces)
        if side == "Decoder"
        else StatePath(name, trace.encoder_states, trace.source.pieces)
        for name, trace in (("before", before), ("after", after))
    ]


def _projected(
    paths: Sequence[StatePath],
) -> tuple[list[tuple[str, np.ndarray, list[str]]], list[float]]:
    found = fit(np.concatenate([path.states for path in paths]), 2)
    runs = [
        (path.title, found.points(path.states), [label(piece) for piece in path.pieces])
        for path in paths
    ]
    return runs, found.explained.tolist()
