import numpy as np
import pytest

from seq2seq.decoding.attention_presets import by_word, one_hot, shifted, swapped, uniform

WORDS = (0, 1, 1, 2, 3)
ROW = np.array([0.1, 0.2, 0.3, 0.15, 0.25])


def test_every_row_sums_to_one():
    rows = [one_hot(WORDS, 1), uniform(WORDS), shifted(ROW, 2), swapped(ROW, WORDS, 0, 1)]
    for row in rows:
        assert row.shape == (5,)
        assert row.sum() == pytest.approx(1)


def test_one_word_gets_all_and_its_tokens_share_it():
    np.testing.assert_allclose(one_hot(WORDS, 1), [0, 0.5, 0.5, 0, 0])


def test_a_shift_moves_and_keeps_the_ends_inside():
    np.testing.assert_allclose(shifted(ROW, 0), ROW)
    np.testing.assert_allclose(shifted(ROW, 1), [0, 0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(shifted(ROW, -1), [0.3, 0.3, 0.15, 0.25, 0])
    np.testing.assert_allclose(shifted(ROW, 99), [0, 0, 0, 0, 1])


def test_a_swap_exchanges_the_shares_of_words_and_twice_is_none():
    row = swapped(ROW, WORDS, 0, 1)
    np.testing.assert_allclose(np.bincount(WORDS, weights=row), [0.5, 0.1, 0.15, 0.25])
    shares = np.bincount(WORDS, weights=swapped(row, WORDS, 1, 0))
    np.testing.assert_allclose(shares, np.bincount(WORDS, weights=ROW))


def test_shares_need_not_sum_to_one_and_nothing_is_nothing():
    np.testing.assert_allclose(by_word(WORDS, [2, 2, 0, 0]), [0.5, 0.25, 0.25, 0, 0])
    assert by_word(WORDS, [0, 0, 0, 0]).sum() == 0
