import numpy as np
import pytest

from seq2seq import figures
from seq2seq.analysis.attention_over_past import attention_to_values
from seq2seq.analysis.backtest import backtest
from seq2seq.checkpoint import load
from seq2seq.data.example_series import EXAMPLE_SERIES
from seq2seq.data.series import Series
from seq2seq.errors import UserError
from seq2seq.evaluation.forecast_metrics import seasonal_naive
from tests.forecasters import KINDS, write_forecaster

SERIES = Series(50 + 10 * np.sin(np.arange(60) * np.pi / 6), "M")


@pytest.fixture(scope="module", params=KINDS)
def tested(request, tmp_path_factory):
    checkpoint = load(write_forecaster(tmp_path_factory.mktemp("forecaster") / "x", request.param))
    return backtest(checkpoint, SERIES, 6)


def named(drawn):
    return {trace.name: trace for trace in drawn.data if trace.name}


@pytest.mark.parametrize("dark", [False, True])
def test_the_forecast_stands_beside_what_was_held_back_and_seasonal_naive(tested, dark):
    lines = named(figures.forecast(tested, 2, dark=dark))
    np.testing.assert_array_equal(lines["history"].y, SERIES.values[:-6])
    np.testing.assert_array_equal(lines["held back"].y, SERIES.values[-6:])
    np.testing.assert_array_equal(lines["median forecast"].y, tested.forecast.median)
    expected = seasonal_naive(SERIES.values[:-6], 6, 12)[:, 4]
    np.testing.assert_array_equal(lines["seasonal naive"].y, expected)
    assert lines["history"].x[-1] == 0
    assert list(lines["held back"].x) == [1, 2, 3, 4, 5, 6]


def test_attention_stands_under_the_values_it_is_about(tested):
    curve = named(figures.forecast(tested, 2))["attention of step 3"]
    weights = attention_to_values(tested.forecast.trace, 2)
    assert len(weights) == len(tested.forecast.read)
    np.testing.assert_array_equal(curve.y, weights)
    assert curve.x[-1] == 0
    whole = tested.forecast.trace.attention[2].mean(axis=(0, 1), dtype=np.float32)
    np.testing.assert_allclose(weights, whole[2:], atol=1e-6)


def test_the_heatmap_holds_nearly_all_probability_and_the_recorded_path(tested):
    drawn = figures.value_probabilities(tested, 1)
    cells, path = drawn.data
    assert (np.asarray(cells.z).sum(axis=0) > 0.97).all()
    assert len(path.y) == 6
    assert cells.customdata.shape == (*np.asarray(cells.z).shape, 1)


def test_the_same_forecast_is_the_same_figure(tested):
    assert figures.forecast(tested, 1) == figures.forecast(tested, 1)
    assert figures.value_probabilities(tested) == figures.value_probabilities(tested)


def test_the_table_has_a_row_a_step(tested):
    rows = figures.forecast_csv(tested).splitlines()
    assert len(rows) == 7
    assert rows[0].startswith("step,quantile 0.1")


def test_the_future_has_nothing_held_back(tmp_path):
    checkpoint = load(write_forecaster(tmp_path / "x"))
    tested = backtest(checkpoint, SERIES, 4, hide=False)
    assert tested.actual is tested.scores is None
    assert "held back" not in named(figures.forecast(tested, 0))
    assert len(tested.history) == 60
    with pytest.raises(UserError, match="too short"):
        backtest(checkpoint, Series(np.arange(6.0)), 4)


@pytest.mark.parametrize("example", EXAMPLE_SERIES, ids=lambda each: each.title)
def test_example_series_are_finite_and_the_same_each_time(example):
    first, again = example.series(), example.series()
    np.testing.assert_array_equal(first.values, again.values)
    assert np.isfinite(first.values).all()
    assert len(first) == example.length
