import numpy as np
import pytest

from seq2seq.evaluation import exponential_smoothing as smoothing
from seq2seq.inference.forecasting import LEVELS

TIME = np.arange(84)
SEASONAL = 100 + TIME + 20 * np.sin(2 * np.pi * TIME / 12)


def noisy(values):
    return values + np.random.default_rng(1).normal(0, 1, len(values))


def test_without_statsmodels_there_is_none(monkeypatch):
    monkeypatch.setattr(smoothing, "is_installed", lambda: False)
    assert smoothing.exponential_smoothing(SEASONAL, 6, 12) is None


def test_a_season_and_a_trend_are_continued():
    pytest.importorskip("statsmodels")
    quantiles = smoothing.exponential_smoothing(noisy(SEASONAL[:72]), 12, 12)
    assert quantiles.shape == (12, len(LEVELS))
    assert (np.diff(quantiles, axis=1) > 0).all()
    assert np.abs(quantiles[:, 4] - SEASONAL[72:]).max() < 6


def test_its_unit_changes_nothing():
    pytest.importorskip("statsmodels")
    values = noisy(SEASONAL[:72])
    usual = smoothing.exponential_smoothing(values, 6, 12)
    other = smoothing.exponential_smoothing(1e6 * values, 6, 12)
    np.testing.assert_allclose(other, 1e6 * usual, rtol=1e-3)


@pytest.mark.parametrize("values", [np.arange(5.0), np.full(30, 3.0)])
def test_what_cannot_be_fitted_has_none(values):
    assert smoothing.exponential_smoothing(values, 6, 12) is None
