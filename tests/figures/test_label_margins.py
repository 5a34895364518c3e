import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from seq2seq.figures.label_margins import fit, width
from seq2seq.figures.theme import figure, palette, token_axis
from tests.served import chromium

LABELS = {
    "short": ["a", "b"],
    "words": ["grandfather", "l'", "Wolkenkratzer", "</s>"],
    "broad": ["MWMWMWMW", "‐—…", "@@@@"],
    "cjk": ["日本語の文", "中"],
    "marks": ["e\u0301e\u0301e\u0301", "<b>&amp;", "ﷺ"],
}


def drawn(labels, **size):
    colours = palette(dark=False)
    axes = {
        "xaxis": token_axis(labels, "source →") | {"side": "top"},
        "yaxis": token_axis(labels, "← output", downwards=True),
    }
    made = figure(colours, 400, margin={"l": 8, "r": 8, "t": 8, "b": 8}, **axes, **size)
    return made.add_trace(go.Scatter(x=[1, 2], y=[1, 2]))


def test_longer_labels_get_more_room():
    few, many = (fit(drawn([text])).layout.margin for text in ("il", "illustration"))
    assert many.l > few.l > 8
    assert many.t > few.t > 8
    assert many.r > few.r > 8
    assert few.b == many.b == 8


def test_only_axes_that_ask_get_room():
    made = drawn(["word"])
    made.update_xaxes(automargin=False)
    margin = fit(made).layout.margin
    assert margin.t == 8 < margin.l
    again = fit(made).layout.margin
    assert again.l == margin.l


def test_broad_letters_are_wider_than_narrow_ones():
    assert width("iiii", 10) < width("oooo", 10) < width("mmmm", 10) <= width("日本語文", 10)
    assert width("e\u0301", 10) == width("e", 10)
    assert width("&lt;", 10) == width("<", 10)


@pytest.mark.browser
def test_labels_are_drawn_inside_the_figure(tmp_path):
    with chromium() as browser:
        page = browser.new_page()
        page.set_content("<div id='chart' style='width: 600px'></div>")
        page.add_script_tag(content=get_plotlyjs())
        for name, labels in LABELS.items():
            page.evaluate(
                "(made) => Plotly.newPlot('chart', JSON.parse(made))", fit(drawn(labels)).to_json()
            )
            beyond = page.evaluate(
                """() => {
                  const frame = document.querySelector("#chart .main-svg").getBoundingClientRect();
                  const texts = document.querySelectorAll(".xtick, .ytick, .g-xtitle");
                  return [...texts].map((text) => text.getBoundingClientRect())
                    .map((box) => box.width ? Math.max(
                      frame.left - box.left, frame.top - box.top, box.right - frame.right) : 99);
                }"""
            )
            assert len(beyond) == 2 * len(labels) + 1, name
            assert max(beyond) <= 1, name
