"""One path of a forecast after the values that were read: what the record of a run holds of it."""

from __future__ import annotations

import numpy as np

from seq2seq.analysis.attention_over_past import attention_to_values
from seq2seq.data.series import parse_values
from seq2seq.errors import UserError
from seq2seq.figures.csv_table import table
from seq2seq.figures.drawing import Drawing, Picture, scatter
from seq2seq.figures.forecast import (
    BLUE,
    COUNTED,
    GOLD,
    add_attention,
    canvas,
    mark_step,
    range_in_sight,
)
from seq2seq.figures.theme import palette, value_axis
from seq2seq.trace import Trace


def path_values(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that a run of a forecaster read and wrote, (read,) and (steps,).

    Raises UserError if it read or wrote something else.
    """
    named = sum(start < end for start, end in trace.source.spans)
    try:
        read, written = parse_values(trace.read.text), parse_values(trace.target.text)
    except UserError:
        read = written = np.array([])
    if not len(read) == named > 0 or not len(written) == len(trace.target) > 0:
        raise UserError("This run is not of a series: open it on the page of its task.")
    return read, written


@Picture
def forecast_path(
    trace: Trace,
    step: int,
    layer: int | None = None,
    head: int | None = None,
    dark: bool = False,
) -> Drawing:
    """Draw the values that a run read, the path that it wrote, and what a step looked at.

    step: from 0. layer, head: whose attention, None for the mean. Time is counted from the last
    known value, 0. Each point of the path carries its step as custom data.
    """
    colours = palette(dark)
    read, written = path_values(trace)
    past, ahead = list(range(1 - len(read), 1)), list(range(1, len(written) + 1))
    attends = trace.attention is not None
    in_sight = range_in_sight((past, ahead), len(read), trace)
    drawn = canvas(colours, attends, value_axis(colours, COUNTED, range=in_sight))
    steps = np.arange(len(written))[:, None]
    for name, x, y, line, custom in (
        ("history", past, read, {"color": BLUE[dark]}, None),
        ("sampled path", ahead, written, {"color": GOLD[dark], "width": 2.5}, steps),
    ):
        drawn.add_trace(
            scatter(
                x=x, y=y, name=name, mode="lines" if custom is None else "lines+markers", line=line,
                customdata=custom, marker={"size": 7}, hovertemplate="%{y:.4g}",
            )
        )  # fmt: skip
    mark_step(drawn, ahead[step], written[step], step, dark)
    if attends:
        add_attention(drawn, past, attention_to_values(trace, step, layer, head), dark)
    return drawn


def forecast_path_csv(trace: Trace) -> str:
    """Write the path as CSV: a row a step."""
    _, written = path_values(trace)
    return table(["step", "value"], [[at, float(each)] for at, each in enumerate(written, start=1)])
