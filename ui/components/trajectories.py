"""States in order, as paths on one projection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seq2seq.trace import label
from ui.components.chart import chart
from ui.page import is_dark


class Path(NamedTuple):
    """States in order, (steps, width), by the tokens after which they stand."""

    title: str
    states: np.ndarray
    pieces: Sequence[str]


def trajectories_chart(key: str, paths: Sequence[Path], parts: int = 1) -> None:
    """Draw the paths of one or two runs. parts: how many of the paths are of one run."""
    from seq2seq import figures
    from seq2seq.analysis.projection import fit

    found = fit(np.concatenate([path.states for path in paths]), 2)
    runs = [
        (path.title, found.points(path.states), [label(piece) for piece in path.pieces])
        for path in paths
    ]
    chart(
        key,
        figures.trajectories.plain(runs, found.explained.tolist(), parts, is_dark()),
        f"State trajectories on one projection: {', '.join(path.title for path in paths)}.",
        lambda: figures.map_csv(
            np.concatenate([points for _, points, _ in runs]),
            [token for _, _, names in runs for token in names],
            {"run": [title for title, points, _ in runs for _ in points]},
        ),
    )
