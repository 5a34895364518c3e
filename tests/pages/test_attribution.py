"""The Attribution tab, by AppTest, with tiny checkpoints; and its figures."""

import numpy as np
import pytest

from seq2seq.figures.attribution import attributions, attributions_csv, correlations
from seq2seq.trace import words
from tests.visit import SENTENCE, charts, visit


@pytest.mark.parametrize("name", ["lstm-attention", "rnn-additive", "transformer", "gru-plain"])
def test_every_architecture_is_measured(root, name):
    at = visit("translation", checkpoint=name, text=SENTENCE, tab="Attribution")
    assert not at.exception
    assert not at.error
    assert len(charts(at)) == 2
    said = [element.value for element in (*at.markdown, *at.caption)]
    assert any("Rank correlation" in text for text in said)
    assert any("no attention" in text for text in said) == (name == "gru-plain")


@pytest.mark.parametrize("dark", [False, True])
def test_figures_show_all_measures_on_the_same_axes(trace, dark):
    size = len(trace.target), len(words(trace.source))
    random = np.random.default_rng(0)
    measures = {"one": random.random(size), "two": random.normal(size=size)}
    drawn = attributions(trace, measures, 1, dark)
    maps = [each for each in drawn.data if each.type == "heatmap"]
    assert [each.z.shape for each in maps] == [size, size]
    assert maps[0].zmin == 0
    assert maps[1].zmin == -maps[1].zmax
    assert len(drawn.layout.shapes) == 2
    lines = attributions_csv(trace, measures).splitlines()
    assert len(lines) == 1 + size[0] * size[1]
    bars = correlations(trace, {"a": np.linspace(-1, 1, size[0])}, 0, dark)
    assert bars.data[0].y[0] == -1
