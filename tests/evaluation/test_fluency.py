import math

import pytest

from seq2seq.evaluation.fluency import TrigramModel, less_probable

TEXTS = [[1, 2, 3, 4], [1, 2, 3, 5], [2, 2, 4], [6]]


@pytest.fixture(scope="module")
def model():
    return TrigramModel(TEXTS, 8)


@pytest.mark.parametrize("history", [(-1, -1), (-1, 1), (1, 2), (2, 3), (7, 7), (3, 1), (4, 2)])
def test_probabilities_after_any_tokens_sum_to_one(model, history):
    tokens = (*range(8), -2)
    assert sum(model._probability((*history, token)) for token in tokens) == pytest.approx(1)


def test_the_mean_is_over_the_tokens_and_the_end(model):
    grams = (-1, -1, 6), (-1, 6, -2)
    wanted = sum(math.log(model._probability(gram)) for gram in grams) / 2
    assert model.log_probability([6]) == pytest.approx(wanted)
    assert model.log_probability([]) == pytest.approx(math.log(model._probability((-1, -1, -2))))


def test_what_was_read_is_more_probable_than_its_words_in_another_order(model):
    assert model.log_probability([1, 2, 3, 4]) > model.log_probability([4, 3, 2, 1]) + 1
    references = [[1, 2, 3, 4], [1, 2, 3, 5]]
    assert less_probable(model, [[4, 3, 2, 1], [1, 2, 3, 5]], references) == 50.0
    assert less_probable(model, references, references) == 0.0
