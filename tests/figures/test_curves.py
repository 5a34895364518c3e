"""Curves are drawn of exactly the numbers they are given."""

import pytest

from seq2seq import figures
from seq2seq.evaluation.results import Curve
from seq2seq.figures.curves import MARKED_UP_TO, ON_DARK, ON_LIGHT
from seq2seq.figures.theme import palette
from tests.figures.test_figures import contrast

FIRST = Curve("a <b>", (1, 2, 3), (30.0, 20.0, 10.0), (28.0, 19.0, 4.0), (31.0, 25.0, 12.0))
SECOND = Curve("second", (1, 2), (3.0, 4.0), notes=("50 sentences", "60 <i>"))
TICKS = ("1 to 5", "6 to 10", "11 & more")


def drawn(*lines, dark=False, **axis):
    return figures.curves(lines, figures.XAxis("words", **axis), "BLEU", dark).to_dict()


def test_every_point_and_its_interval_is_drawn():
    first, second = drawn(FIRST, SECOND)["data"]
    assert tuple(first["x"]) == FIRST.x
    assert tuple(first["y"]) == FIRST.y
    spread = zip(first["y"], first["error_y"]["array"], first["error_y"]["arrayminus"], strict=True)
    ends = [(y - below, y + above) for y, above, below in spread]
    assert ends == list(zip(FIRST.low, FIRST.high, strict=True))
    assert second.get("error_y") is None
    assert first["line"]["color"] != second["line"]["color"]
    assert first["marker"]["symbol"] != second["marker"]["symbol"]


def test_labelled_places_keep_intervals_apart():
    picture = drawn(FIRST, SECOND, ticks=TICKS)
    assert picture["layout"]["xaxis"]["ticktext"] == ["1 to 5", "6 to 10", "11 &amp; more"]
    first, second = (trace["x"] for trace in picture["data"])
    assert all(0 < b - a < 0.2 for a, b in zip(first, second, strict=False))
    assert [round(x) for x in first] == [1, 2, 3]


def test_pointing_at_a_point_tells_its_numbers():
    first, second = drawn(FIRST, SECOND, ticks=TICKS)["data"]
    text = "<b>a &lt;b&gt;</b><br>words: 6 to 10<br>BLEU: 20.00 (95 %: 19.00 to 25.00)"
    assert first["hovertext"][1] == text
    assert second["hovertext"][1].endswith("BLEU: 4.00<br>60 &lt;i&gt;")
    (line,) = drawn(Curve("a", (1.5, 2, 7_476), (1.0, 2.0, 3.0)))["data"]
    assert [text.split("<br>")[1] for text in line["hovertext"]] == [
        "words: 1.5",
        "words: 2",
        "words: 7,476",
    ]


def test_points_are_labelled_if_asked_and_many_are_not_marked():
    line = Curve("a", (1_000, 75_000), (1.0, 2.0))
    axis = drawn(line, at_points=True, logarithmic=True)["layout"]["xaxis"]
    assert (axis["type"], axis["ticktext"]) == ("log", ["1,000", "75,000"])
    assert axis["tickvals"] == list(line.x)
    many = range(MARKED_UP_TO + 1)
    picture = drawn(Curve("a", tuple(many), tuple(many)))
    assert picture["data"][0]["mode"] == "lines"
    assert "tickvals" not in picture["layout"]["xaxis"]
    assert not picture["layout"]["showlegend"]


@pytest.mark.parametrize(("dark", "hues"), [(False, ON_LIGHT), (True, ON_DARK)])
def test_lines_stand_out_from_the_page(dark, hues):
    assert len(set(hues)) == len(hues)
    assert all(contrast(hue, palette(dark).page) >= 3 for hue in hues)
    lines = [Curve(str(number), (1,), (1.0,)) for number in range(len(hues))]
    assert [trace["line"]["color"] for trace in drawn(*lines, dark=dark)["data"]] == list(hues)


def test_csv_holds_every_point():
    rows = figures.curves_csv([FIRST, SECOND], TICKS).splitlines()
    assert rows[0] == "curve,x,y,low,high,note"
    assert rows[1] == "a <b>,1 to 5,30.0,28.0,31.0,"
    assert rows[-1] == "second,6 to 10,4.0,,,60 <i>"
    assert len(rows) == 1 + len(FIRST.x) + len(SECOND.x)
    assert figures.curves_csv([SECOND]).splitlines()[1] == "second,1,3.0,,,50 sentences"
