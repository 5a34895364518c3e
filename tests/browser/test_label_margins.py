"""Labels of a figure in headless Chromium, which alone knows how wide they are."""

import pytest
from plotly.offline import get_plotlyjs

from seq2seq.figures.label_margins import fit
from tests.figures.test_label_margins import drawn

pytestmark = pytest.mark.browser

LABELS = {
    "short": ["a", "b"],
    "words": ["grandfather", "l'", "Wolkenkratzer", "</s>"],
    "broad": ["MWMWMWMW", "‐—…", "@@@@"],
    "cjk": ["日本語の文", "中"],
    "marks": ["e\u0301e\u0301e\u0301", "<b>&amp;", "ﷺ"],
}


def test_labels_are_drawn_inside_the_figure(new_page):
    page = new_page()
    page.goto("about:blank")
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
