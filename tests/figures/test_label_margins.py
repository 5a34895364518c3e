from dataclasses import replace

import numpy as np
import pytest

from seq2seq.figures.drawing import scatter
from seq2seq.figures.heatmap import NARROW, narrow_attention
from seq2seq.figures.label_margins import LINE, fit, width
from seq2seq.figures.theme import figure, palette, token_axis
from tests.made_tokens import made_tokens


def drawn(labels, **size):
    colours = palette(dark=False)
    axes = {
        "xaxis": token_axis(labels, "source →") | {"side": "top"},
        "yaxis": token_axis(labels, "← output", downwards=True),
    }
    made = figure(colours, 400, margin={"l": 8, "r": 8, "t": 8, "b": 8}, **axes, **size)
    made.add_trace(scatter(x=[1, 2], y=[1, 2]))
    return made


def test_longer_labels_get_more_room():
    few, many = (fit(drawn([text])).layout["margin"] for text in ("il", "illustration"))
    assert all(many[side] > few[side] > 8 for side in "ltr")
    assert few["b"] == many["b"] == 8


def test_only_axes_that_ask_get_room():
    made = drawn(["word"])
    made.layout["xaxis"]["automargin"] = False
    margin = fit(made).layout["margin"]
    assert margin["t"] == 8 < margin["l"]
    again = fit(made).layout["margin"]
    assert again["l"] == margin["l"]


def test_broad_letters_are_wider_than_narrow_ones():
    assert width("iiii", 10) < width("oooo", 10) < width("mmmm", 10) <= width("日本語文", 10)
    assert width("e\u0301", 10) == width("e", 10)
    assert width("&lt;", 10) == width("<", 10)


def test_no_axis_has_tick_marks():
    layout = drawn(["word"]).layout
    assert layout["xaxis"]["ticks"] == layout["yaxis"]["ticks"] == ""


@pytest.mark.parametrize("count", [5, 23, 60])
def test_labels_of_a_narrow_matrix_do_not_lie_on_each_other(trace, count):
    made = narrow_attention(stretched(trace, count))
    shown = made.layout.xaxis.tickvals
    assert len(shown) * LINE * made.layout.xaxis.tickfont.size <= NARROW + LINE * 10
    assert shown[0] == 1
    # A column without a label is named where the mouse is.
    [points] = [each for each in made.data if each.customdata is not None]
    thinned = len(shown) < count
    assert ("%{x}" in points.hovertemplate) == (not thinned)
    assert len(made.layout.xaxis.ticktext) == len(shown)


def stretched(trace, count):
    """Return a trace whose source has so many tokens, all looked at alike."""
    pieces = tuple(f"▁{number}" for number in range(count))
    source = made_tokens(pieces)
    weights = np.full((len(trace.target), 1, 1, count), 1 / count, np.float16)
    return replace(trace, source=source, attention=weights)
