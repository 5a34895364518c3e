import numpy as np
import pytest

from seq2seq import figures
from seq2seq.training.progress import Measured, Progress, Trained
from seq2seq.training.snapshot import Written

WRITTEN = Written(
    ("▁<b>", "▁b"), ("▁b", "▁<b>"), ("▁b", "▁c"), np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1.0]])
)


def progress(shift):
    made = Progress(parameters=5)
    made.trained = [
        Trained(step, step / 10, 2.0 / step, {"encoder.stack": shift}) for step in (1, 9)
    ]
    made.scores = made.snapshots = [
        Measured(step, step / 10, 1.0 / step, step / 10, 0.9, None, (0.5, shift), (WRITTEN,))
        for step in (1, 9)
    ]
    return made


MODELS = {"A": progress(0.1), "B": progress(0.2)}


def test_curves_have_a_colour_for_each_model_and_start_at_nothing():
    drawn = figures.learning_curves(MODELS, at=9)
    assert [trace.name for trace in drawn.data if trace.showlegend is not False] == ["A", "B"]
    assert {trace.line.color for trace in drawn.data[:3]} == {drawn.data[0].line.color}
    assert drawn.data[0].line.color != drawn.data[3].line.color
    assert list(drawn.data[0].y) == [0.1, 0.9]
    assert drawn.layout.shapes[0].x0 == 9
    assert figures.learning_curves(MODELS, at=9) == drawn
    assert figures.learning_curves({"A": Progress()}).data[0].x == ()


@pytest.mark.parametrize("dark", [False, True])
def test_the_right_tokens_are_framed_and_text_is_escaped(dark):
    drawn = figures.forming_attention(WRITTEN, [1, None], dark)
    assert [(shape.x0, shape.y0) for shape in drawn.layout.shapes] == [(1.5, 0.5)]
    assert "&lt;b&gt;" in drawn.layout.xaxis.ticktext[0]
    assert np.array(drawn.data[0].z).shape == (3, 3)


def test_what_has_no_attention_is_refused():
    with pytest.raises(ValueError, match="no attention"):
        figures.forming_attention(Written((), (), (), None))


def test_gradients_by_part_and_by_distance():
    parts = figures.gradient_parts(MODELS)
    assert [list(trace.x) for trace in parts.data] == [[0.1], [0.2]]
    distances = figures.gradient_distances(MODELS)
    assert [list(trace.y) for trace in distances.data] == [[0.5, 0.1], [0.5, 0.2]]
    assert figures.gradient_parts({"A": Progress()}).layout.height > 0


def test_every_moment_is_a_row():
    rows = figures.training_csv(MODELS).splitlines()
    assert len(rows) == 5
    assert rows[0].startswith("model,step,seconds")
