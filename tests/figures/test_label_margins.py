from seq2seq.figures.drawing import scatter
from seq2seq.figures.label_margins import fit, width
from seq2seq.figures.theme import figure, palette, token_axis


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
