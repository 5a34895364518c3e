import numpy as np
import pytest

from seq2seq.checkpoint import load
from seq2seq.data.series import Series, read_series
from seq2seq.evaluation.forecast_metrics import (
    LEVELS,
    Scores,
    compare,
    coverage,
    evaluate_forecasts,
    evaluate_series,
    geometric_mean,
    mase,
    score,
    seasonal_naive,
    smape,
    weighted_quantile_loss,
)
from tests.forecasters import write_forecaster, write_series


def test_mase_is_the_error_in_units_of_the_seasonal_one():
    history = np.array([1.0, 5, 2, 7])  # a season apart: 1 and 2
    assert mase(np.array([4.0, 8]), np.array([1.0, 8]), history, 2) == pytest.approx(1.5 / 1.5)


def test_wql_of_a_certain_forecast_is_the_error_over_the_sum():
    """Where all quantiles are one number, twice the mean pinball loss is the absolute error."""
    actual = np.array([2.0, 6])
    sure = np.repeat(np.array([[3.0], [6.0]]), len(LEVELS), axis=1)
    assert weighted_quantile_loss(actual, sure) == pytest.approx(1 / 8)


def test_smape_and_coverage():
    assert smape(np.array([1.0, 0.0]), np.array([3.0, 0.0])) == pytest.approx(50)
    quantiles = np.linspace(0, 8, 9)[None].repeat(4, axis=0)
    assert coverage(np.array([0.0, 9, 4, np.nan]), quantiles) == pytest.approx(2 / 3)


def test_two_forecasters_are_compared_series_by_series():
    ours = [Scores(mase, 0.5, 0, 0) for mase in (1.0, 2.0, 4.0)]
    twice = [Scores(2 * each.mase, 0.5, 0, 0) for each in ours]
    assert compare(ours, twice, "mase") == pytest.approx((0.5, 0.5, 0.5))
    assert compare(ours, ours, "wql") == pytest.approx((1, 1, 1))
    value, low, high = compare(ours, twice[::-1], "mase")
    assert value == pytest.approx(0.5)  # means of logarithms differ by theirs, in any order
    assert low < value < high


def test_seasonal_naive_repeats_the_last_season_and_widens_by_seasons_ahead():
    history = np.array([0.0, 10, 2, 13, 3, 12])  # errors 2, 3, 1, -1
    quantiles = seasonal_naive(history, 5, 2)
    np.testing.assert_array_equal(quantiles[:, 4], [3, 12, 3, 12, 3])
    deviation = np.sqrt((4 + 9 + 1 + 1) / 4)
    width = quantiles[:, -1] - quantiles[:, 4]
    np.testing.assert_allclose(width, 1.2815516 * deviation * np.sqrt([1, 1, 2, 2, 3]), rtol=1e-6)


def test_seasonal_naive_is_level_with_itself_on_every_series(tmp_path):
    series = read_series(write_series(tmp_path / "series.tsv"))
    scores = evaluate_forecasts(
        series, lambda each, horizon: seasonal_naive(each.values, horizon, each.season)
    )
    assert scores["series"] == 4
    assert scores["relative_mase"] == scores["relative_wql"] == 1
    assert scores["relative_mase_interval"] == [1, 1]
    assert scores["mase"] == scores["naive_mase"]


def test_seasonal_naive_is_that_of_statsforecast():
    models = pytest.importorskip("statsforecast.models")
    draw = np.random.default_rng(0)
    for season, horizon in ((1, 6), (4, 8), (12, 18)):
        history = 20 + 5 * np.sin(np.arange(60) * 2 * np.pi / 12) + draw.normal(size=60)
        found = models.SeasonalNaive(season).forecast(history, horizon, level=[20, 40, 60, 80])
        ours = seasonal_naive(history, horizon, season)
        np.testing.assert_allclose(ours[:, LEVELS.index(0.5)], found["mean"])
        for level in LEVELS:
            width = round(100 * abs(2 * level - 1))
            if width:
                side = "hi" if level > 0.5 else "lo"
                theirs = found[f"{side}-{width}"]
                np.testing.assert_allclose(ours[:, LEVELS.index(level)], theirs, rtol=1e-6)


def test_a_forecast_that_knows_the_future_is_better_and_short_series_are_left_out(tmp_path):
    series = read_series(write_series(tmp_path / "series.tsv"))
    future = {each.name: each.values[-18:] for each in series}
    short = Series(np.arange(19.0), "M", "", "short")

    def near(each, horizon):
        return (future[each.name] + 0.01)[:, None].repeat(len(LEVELS), axis=1)

    scores = evaluate_forecasts([*series, short], near)
    assert (scores["series"], scores["left_out"]) == (4, 1)
    assert scores["relative_mase"] < 0.05
    low, high = scores["relative_mase_interval"]
    assert low <= scores["relative_mase"] <= high


def test_geometric_mean_of_a_ratio_and_its_inverse_is_one():
    assert geometric_mean(np.array([4.0, 0.25])) == pytest.approx(1)


def test_a_checkpoint_is_scored_the_same_twice(tmp_path):
    checkpoint = load(write_forecaster(tmp_path / "tiny"))
    series = read_series(write_series(tmp_path / "series.tsv", count=2))
    first, again = (evaluate_series(checkpoint, series) for _ in range(2))
    assert first == again
    assert 0 <= first["coverage_80"] <= 1


@pytest.mark.parametrize("history", [np.full(40, 7.0), np.zeros(40), np.tile([1e6, -1e6], 20)])
def test_what_has_nothing_to_be_scaled_by_has_no_mase(history):
    assert np.isnan(mase(history[-6:] + 1, history[-6:], history, 12))


@pytest.mark.parametrize("size", [1e-300, 1e99])
def test_the_size_of_the_values_changes_no_score(size):
    values, usual = np.arange(1.0, 41), np.arange(1.0, 7)[:, None] + np.linspace(-1, 1, 9)
    expected = score(values[:6] + 1, usual, values, 1)
    np.testing.assert_allclose(
        score(size * (values[:6] + 1), size * usual, size * values, 1), expected
    )
    assert np.isnan(weighted_quantile_loss(np.zeros(6), usual))
