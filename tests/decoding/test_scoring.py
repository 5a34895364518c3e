import math

import numpy as np
import pytest

from seq2seq.decoding.scoring import UNSEEN, score


def test_the_length_divides_the_log_probability():
    assert score(-6.0, 4, 0.0) == -6.0
    assert score(-6.0, 4, 1.0) == -1.5
    assert score(-6.0, 4, 0.5) == -3.0
    np.testing.assert_array_equal(score(np.array([-6.0, -6.0]), np.array([2, 0]), 1.0), [-3, -6])


def test_only_what_was_seen_less_than_once_costs():
    totals, lengths = np.array([-2.0, -2.0, -2.0]), np.array([2, 2, 2])
    coverage = np.array([[1.0, 1.0], [0.5, 3.0], [0.0, 1.0]])
    scores = score(totals, lengths, 1.0, 2.0, coverage)
    np.testing.assert_allclose(scores, [-1, -1 + 2 * math.log(0.5), -1 + 2 * math.log(UNSEEN)])


def test_a_coverage_penalty_needs_the_coverage():
    with pytest.raises(ValueError, match="needs the coverage"):
        score(-1.0, 1, 1.0, 0.1)
