import json

import numpy as np
import pytest

from seq2seq import figures
from seq2seq.figures.drawing import Drawing, Picture, heatmap, scatter
from seq2seq.figures.theme import figure, palette


def read(drawn):
    """Return a figure as plotly's own writer gives it, arrays as lists."""
    return json.loads(drawn.to_json())


def test_every_public_picture_is_plain_and_checked():
    drawn = {name: getattr(figures, name) for name in figures.__all__}
    pictures = {name for name, each in drawn.items() if isinstance(each, Picture)}
    functions = {name for name in drawn if not name.endswith("_csv") and name[0].islower()}
    assert functions - pictures == {"architecture", "turn_colours"}  # descriptions and colours


def test_plain_and_checked_figures_are_the_same(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    for picture, more in ((figures.attention, {"measured": True}), (figures.ribbons, {})):
        plain = picture.plain(trace, selected=0, **more)
        checked = picture(trace, selected=0, **more)
        again = Drawing(**json.loads(plain.to_json())).figure()
        assert again.to_plotly_json().keys() == checked.to_plotly_json().keys()
        for one, other in zip(again.data, checked.data, strict=True):
            assert one.type == other.type
            assert {*one} == {*other}
            x = [np.asarray(each.x, float) for each in (one, other)]
            assert np.allclose(*x, equal_nan=True)
        layout = read(again)["layout"]
        assert layout == read(checked)["layout"]


def test_what_is_left_to_plotly_is_not_sent():
    drawn = figure(palette(False), 100, xaxis={"zeroline": None, "range": [0, 1]})
    drawn.add_trace(scatter(x=[None, 1.5], y=np.array([np.nan, 2.5]), text=None))
    sent = json.loads(drawn.to_json())
    assert sent["layout"]["xaxis"] == {"range": [0, 1]}
    assert sent["data"] == [{"type": "scatter", "x": [None, 1.5], "y": [None, 2.5]}]


def test_bytes_are_sent_as_plotly_reads_them():
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    drawn = figure(palette(False), 100)
    drawn.add_trace(heatmap(z=values.T))
    sent = json.loads(drawn.to_json())
    checked = Drawing(**sent).figure()
    assert checked.data[0].z == {
        "dtype": "u1",
        "bdata": sent["data"][0]["z"]["bdata"],
        "shape": "4, 3",
    }
    assert sent["data"][0]["z"] == read(drawn.figure())["data"][0]["z"]


def test_what_plotly_does_not_know_is_refused():
    drawn = figure(palette(False), 100)
    drawn.add_trace(scatter(colour="red"))
    with pytest.raises(ValueError, match="colour"):
        drawn.figure()
