import numpy as np
import pytest

from seq2seq.data.synthetic_series import KINDS, mixed, repeated, seasonal_pattern, synthetic_series


@pytest.mark.parametrize("season", [1, 4, 12, 24])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_finite_varied_and_the_same_for_the_same_seed(kind, season):
    first, again = (KINDS[kind](np.random.default_rng(3), 6, 90, season) for _ in range(2))
    assert first.shape == (6, 90)
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)
    assert len({tuple(row) for row in first.tolist()}) == 6


def test_a_seasonal_pattern_repeats_and_is_standardised():
    pattern = seasonal_pattern(np.random.default_rng(0), 5, 12)
    np.testing.assert_allclose(pattern.mean(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(pattern.std(axis=1), 1, atol=1e-6)
    rows = repeated(pattern, 30)
    np.testing.assert_array_equal(rows[:, :18], rows[:, 12:])


def test_counts_are_whole_and_not_negative():
    values = KINDS["counts"](np.random.default_rng(1), 20, 50, 7)
    assert (values >= 0).all()
    np.testing.assert_array_equal(values, np.round(values))


def test_a_mix_lies_between_its_scaled_parts():
    draw = np.random.default_rng(2)
    one, two = np.array([1.0, 3, 2]), np.array([100.0, 200, 300])
    scaled = np.stack([one / 2, two / 200])
    mix = mixed(draw, [one, two])
    assert (mix >= scaled.min(axis=0) - 1e-12).all()
    assert (mix <= scaled.max(axis=0) + 1e-12).all()


def test_all_series_are_finite():
    draw = np.random.default_rng(4)
    assert all(np.isfinite(synthetic_series(draw, 4, 60, 12)).all() for _ in range(30))
