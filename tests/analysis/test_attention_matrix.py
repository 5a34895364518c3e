"""What is made of attention weights: the strongest of a row, and how a text is written."""

from dataclasses import replace

import numpy as np
import pytest

from seq2seq import figures
from seq2seq.analysis.attention_matrix import grid, runs_right_to_left, strongest
from seq2seq.analysis.attention_metrics import SINK, sinks
from seq2seq.checkpoint import load
from seq2seq.decoding.options import Options
from seq2seq.inference.pipeline import run
from tests.visit import SENTENCE


@pytest.fixture(scope="module")
def trace(checkpoint_root):
    """A run of a model with attention."""
    return run(load(checkpoint_root / "lstm-attention"), SENTENCE, Options(max_length=8))


def test_the_strongest_columns_of_each_row_come_first(trace):
    found = grid(trace)
    for row, best in zip(found.weights, strongest(found, 3), strict=True):
        assert [weight for _, weight in best] == sorted(row.tolist(), reverse=True)[:3]
        assert all(row[column] == pytest.approx(weight) for column, weight in best)
    assert len(strongest(found, 99)[0]) == len(found.columns)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat sleeps.", False),
        ("החתול ישן.", True),
        ("القطة نائمة 12", True),
        ("The word קט here", False),
        ("12, 13.", False),
        ("", False),
    ],
)
def test_a_script_from_the_right_is_known_by_its_letters(trace, text, expected):
    assert runs_right_to_left(replace(trace.source, text=text)) is expected


def test_columns_can_run_from_the_right(trace):
    usual, mirrored = figures.attention(trace), figures.attention(trace, right_to_left=True)
    assert mirrored.layout.xaxis.range == usual.layout.xaxis.range[::-1]
    assert mirrored.data[0] == usual.data[0]
    assert mirrored.layout.xaxis.title.text.startswith("←")


def test_a_sink_is_framed_in_the_matrix(trace):
    count = len(trace.source)
    weights = np.full(trace.attention.shape, 0.1 / (count - 1), np.float16)
    weights[..., -1] = 0.9
    changed = replace(trace, attention=weights)
    [(place, share)] = sinks(changed)
    assert place == count - 1
    assert share == pytest.approx(0.9, abs=0.01)
    assert share > SINK
    for draw in (figures.attention, figures.narrow_attention):
        (frame,) = [each for each in draw(changed).layout.shapes if each.line.dash == "dash"]
        assert (frame.x0, frame.x1) == (count - 0.5, count + 0.5)
        assert not [each for each in draw(trace).layout.shapes if each.line.dash == "dash"]
