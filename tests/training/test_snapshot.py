import numpy as np
import pytest
import torch

from seq2seq.data.batching import Example
from seq2seq.data.tasks import TASKS
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build
from seq2seq.training.snapshot import aligned_share, attention_of, gradient_by_distance

EXAMPLES = [Example([4, 5, 6, 7], [7, 6, 5, 4]), Example([5, 6, 7, 8], [8, 7, 6, 5])]
EXAMPLES.append(Example([4, 4], [4, 4]))


def model(**values):
    torch.manual_seed(0)
    return build(Config.from_dict({"vocabulary": 9, "width": 8, **values})).eval()


@pytest.mark.parametrize(
    "values", [{"attention": "dot"}, {"architecture": "transformer", "heads": 2}]
)
def test_attention_is_a_distribution_over_the_source(values):
    weights = attention_of(model(**values), EXAMPLES[0])
    assert weights.shape == (5, 5)
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)


def test_the_share_on_the_true_token_is_that_of_the_diagonal():
    learning = model(attention="dot")
    weights = attention_of(learning, EXAMPLES[0])
    expected = np.mean([weights[step, 3 - step] for step in range(4)])
    found = aligned_share(learning, TASKS["reverse"], EXAMPLES[:1])
    assert found == pytest.approx(expected, rel=1e-5)
    assert aligned_share(learning, TASKS["dates"], EXAMPLES) is None
    assert aligned_share(model(), TASKS["reverse"], EXAMPLES) is None


def test_the_gradient_reaches_less_far_in_a_plain_network():
    found = gradient_by_distance(model(cell="rnn"), EXAMPLES)
    assert len(found) == 4
    assert found[0] > found[-1] > 0
    assert len(gradient_by_distance(model(architecture="transformer", heads=2), EXAMPLES)) == 4
