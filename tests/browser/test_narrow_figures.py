"""Figures at the width of a phone: no label lies on another, none is cut off."""

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from seq2seq import figures
from seq2seq.analysis.step_internals import step_internals
from seq2seq.checkpoint import load
from seq2seq.decoding.options import Options
from seq2seq.figures import step
from seq2seq.inference.pipeline import run
from tests.visit import SENTENCE

pytestmark = pytest.mark.browser

WIDTH = 343  # of what a figure has on a screen of 375 pixels
TEXTS = ".xtick text, .ytick text, .x2tick text, .y2tick text, .bars text, .g-xtitle, .g-ytitle"
# Pairs of texts that lie on each other by more than two pixels, and texts that are cut off.
PROBLEMS = """(selector) => {
  const frame = document.querySelector("#chart .main-svg").getBoundingClientRect();
  const boxes = [...document.querySelectorAll(selector)].filter((text) => text.textContent.trim())
    .map((text) => [text.textContent, text.getBoundingClientRect()])
    .filter(([, box]) => box.width);
  const cut = boxes.filter(([, box]) => box.left < frame.left - 1 || box.right > frame.right + 1);
  const pairs = boxes.flatMap(([name, one], index) => boxes.slice(index + 1)
    .filter(([, other]) => Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2
      && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2)
    .map(([other]) => `${name} / ${other}`));
  return [...cut.map(([name]) => `${name} is cut off`), ...pairs];
}"""


@pytest.fixture(scope="module")
def drawn(checkpoint_root):
    """Figures with labels beside bars, by name."""
    checkpoint = load(checkpoint_root / "lstm-attention")
    options = Options(max_length=8)
    trace = run(checkpoint, SENTENCE, options)
    found = step_internals(checkpoint, SENTENCE, trace.target.ids, 2, options)
    look = found.look
    assert look is not None
    spread = np.linspace(-7.51, 5.48, len(look.scores))
    pieces = ("▁chair", "▁grandfather", "▁the", *look.scores.astype(str))[: len(look.scores)]
    look = type(look)(**{**vars(look), "scores": spread})
    return {
        "scores": step.scores(look, [f"▁{piece[:8].strip('▁')}" for piece in pieces]),
        "logits": step.logits(found),
        "alternatives": figures.alternatives(trace, step=2),
        "narrow matrix": figures.narrow_attention(trace),
        "probabilities": figures.probabilities(trace),
    }


@pytest.mark.parametrize(
    "name", ["scores", "logits", "alternatives", "narrow matrix", "probabilities"]
)
def test_labels_are_apart_at_the_width_of_a_phone(new_page, drawn, name):
    page = new_page(width=375)
    page.goto("about:blank")
    page.set_content(f"<div id='chart' style='width: {WIDTH}px'></div>")
    page.add_script_tag(content=get_plotlyjs())
    page.evaluate("(made) => Plotly.newPlot('chart', JSON.parse(made))", drawn[name].to_json())
    assert page.evaluate(PROBLEMS, TEXTS) == []
