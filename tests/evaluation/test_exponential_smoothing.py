import numpy as np
import pytest

from seq2seq.evaluation.exponential_smoothing import exponential_smoothing, fit, smooth
from seq2seq.inference.forecasting import LEVELS

TIME = np.arange(84)
SEASONAL = 100 + TIME + 20 * np.sin(2 * np.pi * TIME / 12)


def noisy(values, seed=1):
    return values + np.random.default_rng(seed).normal(0, 1, len(values))


def test_a_season_and_a_trend_are_continued():
    quantiles = exponential_smoothing(noisy(SEASONAL[:72]), 12, 12)
    assert quantiles.shape == (12, len(LEVELS))
    assert (np.diff(quantiles, axis=1) > 0).all()
    assert np.abs(quantiles[:, 4] - SEASONAL[72:]).max() < 6


def test_its_unit_changes_nothing():
    values = noisy(SEASONAL[:72])
    usual = exponential_smoothing(values, 6, 12)
    np.testing.assert_allclose(exponential_smoothing(1e6 * values, 6, 12), 1e6 * usual, rtol=1e-6)


def test_a_random_walk_is_continued_by_its_last_value_ever_less_surely():
    values = np.cumsum(np.random.default_rng(3).normal(0, 1, 300))
    quantiles = exponential_smoothing(values, 9, 1)
    np.testing.assert_allclose(quantiles[:, 4], values[-1], atol=0.5)
    width = quantiles[:, -1] - quantiles[:, 0]
    assert width[8] / width[0] == pytest.approx(3, rel=0.15)  # the root of 9 steps
    assert width[0] == pytest.approx(2 * 1.2816, rel=0.15)


def test_noise_has_the_interval_of_its_distribution_at_every_step():
    values = np.random.default_rng(4).normal(20, 3, 400)
    quantiles = exponential_smoothing(values, 6, 12)
    np.testing.assert_allclose(quantiles[:, 4], 20, atol=1)
    np.testing.assert_allclose(quantiles[:, -1] - quantiles[:, 0], 6 * 1.2816, rtol=0.15)


def test_states_forecast_what_the_recursion_goes_on_with():
    found = fit(noisy(SEASONAL[:70]), True, 12)
    ahead, _ = smooth(SEASONAL[70:71], found.smoothing, found.states)
    level, trend, cycle = found.states[:3, 0]
    expected = level + found.smoothing.phi[0] * trend + cycle
    assert SEASONAL[70] - ahead[0, 0] == pytest.approx(expected)


@pytest.mark.parametrize(("trend", "season"), [(False, 1), (True, 1), (False, 12), (True, 12)])
@pytest.mark.parametrize("seed", [1, 2])
def test_errors_are_as_small_as_those_of_statsmodels(trend, season, seed):
    ets = pytest.importorskip("statsmodels.tsa.exponential_smoothing.ets")
    values = noisy(SEASONAL if season > 1 else TIME / 5, seed)
    values = (values - values.mean()) / values.std()
    theirs = ets.ETSModel(
        values,
        trend="add" if trend else None,
        damped_trend=trend,
        seasonal="add" if season > 1 else None,
        seasonal_periods=season if season > 1 else None,
    ).fit(disp=False, maxiter=5_000)
    free = 3 + 3 * trend + (season if season > 1 else 0)
    ours = fit(values, trend, season).deviation ** 2 * max(1, len(values) - free + 1)
    assert ours < 1.05 * float((theirs.resid**2).sum())


@pytest.mark.parametrize("season", [1, 12])
def test_forecasts_are_as_good_as_those_of_statsforecast(season):
    models = pytest.importorskip("statsforecast.models")
    off = {"ours": [], "theirs": []}
    for seed in range(12):
        draw = np.random.default_rng(seed)
        walk = np.cumsum(draw.normal(0.1, 1, 96)) + draw.normal(0, 1, 96)
        values = walk + (season > 1) * 6 * np.sin(2 * np.pi * np.arange(96) / 12)
        theirs = models.AutoETS(season_length=season).forecast(values[:84], 12)["mean"]
        ours = exponential_smoothing(values[:84], 12, season)[:, 4]
        for name, found in (("ours", ours), ("theirs", theirs)):
            off[name].append(np.abs(found - values[84:]).mean())
    assert np.mean(off["ours"]) < 1.1 * np.mean(off["theirs"])


@pytest.mark.parametrize("values", [np.arange(5.0), np.full(30, 3.0)])
def test_what_cannot_be_fitted_has_none(values):
    assert exponential_smoothing(values, 6, 12) is None
