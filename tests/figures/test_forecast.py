import numpy as np
import pytest

from seq2seq import figures
from seq2seq.analysis.attention_over_past import attention_to_values
from seq2seq.analysis.backtest import backtest, rolling_backtest
from seq2seq.checkpoint import load
from seq2seq.data.example_series import EXAMPLE_SERIES
from seq2seq.data.series import Series
from seq2seq.data.series_edit import SeriesEdit
from seq2seq.errors import UserError
from seq2seq.evaluation.forecast_metrics import seasonal_naive
from seq2seq.figures.changed_forecast import (
    changed_forecast,
    changed_forecast_csv,
    rolling_forecasts,
    rolling_forecasts_csv,
)
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
    curve = named(figures.forecast(tested, 2))["attention"]
    weights = attention_to_values(tested.forecast.trace, 2)
    assert len(weights) == len(tested.forecast.read)
    np.testing.assert_array_equal(curve.y, weights)
    assert curve.x[-1] == 0
    whole = tested.forecast.trace.attention[2].mean(axis=(0, 1), dtype=np.float32)
    np.testing.assert_allclose(weights, whole[2:], atol=1e-6)


def dated(tmp_path, start="2001-11", horizon=6, **more):
    checkpoint = load(write_forecaster(tmp_path / "x"))
    return checkpoint, Series(SERIES.values, "M", start), horizon


def test_a_dated_series_stands_on_a_calendar(tmp_path):
    checkpoint, series, horizon = dated(tmp_path)
    tested = backtest(checkpoint, series, horizon)
    lines = named(figures.forecast(tested, 2))
    assert lines["history"].x[0].isoformat() == "2001-11-01T00:00:00"
    assert lines["held back"].x[0].isoformat() == "2006-05-01T00:00:00"
    assert lines["attention"].x[-1] == lines["history"].x[-1]
    assert figures.forecast_csv(tested).splitlines()[1].startswith("2006-05-01")


@pytest.mark.parametrize("start", ["2001-11", ""])
def test_forecasts_of_several_origins_stand_where_they_belong(tmp_path, start):
    checkpoint, series, horizon = dated(tmp_path, start)
    seen = []
    tests = rolling_backtest(checkpoint, series, horizon, 3, None, lambda *done: seen.append(done))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert [len(each.history) for each in tests] == [42, 48, 54]
    drawn = rolling_forecasts(tests)
    medians = [trace for trace in drawn.data if trace.name == "median forecast"]
    whole = named(drawn)["series"]
    assert len(whole.x) == len(series)
    for each, median in zip(tests, medians, strict=True):
        assert list(median.x) == list(whole.x[len(each.history) : len(each.history) + horizon])
    assert len(rolling_forecasts_csv(tests).splitlines()) == 4
    with pytest.raises(UserError, match="too short"):
        rolling_backtest(checkpoint, series, 59, 2)


def test_another_past_is_drawn_beside_the_one_it_was(tmp_path):
    checkpoint, series, horizon = dated(tmp_path, "")
    before = backtest(checkpoint, series, horizon, hide=False)
    changed = SeriesEdit("shift", 4, 2, 30.0).apply(series)
    after = backtest(checkpoint, changed, horizon, hide=False)
    drawn = named(changed_forecast(before, after))
    values = drawn["changed values"].y
    assert np.flatnonzero(~np.isnan(values)).tolist() == [56, 57, 58]
    assert len(changed_forecast_csv(before, after).splitlines()) == 7
    from_end = [place for (place,) in drawn["history"].customdata]
    assert from_end == list(range(len(before.history), 0, -1))
    assert drawn["history"].meta == "draggable"


def test_the_heatmap_holds_nearly_all_probability_and_the_sampled_path(tested):
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


def test_lines_of_few_points_have_no_markers_but_those_that_can_be_clicked(tested):
    drawn = figures.forecast(tested, 2, others={"another": tested.forecast.median})
    marked = [trace.name for trace in drawn.data if "markers" in (trace.mode or "markers")]
    assert marked == ["median forecast", "step 3"]


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_the_widest_band_holds_the_share_that_was_asked_for(tested, share):
    lines = named(figures.forecast(tested, interval=share))
    name = f"{100 * share:.0f} % interval"
    ends = tested.forecast.interval(share)
    np.testing.assert_array_equal(lines[name].y, [*ends[:, 0], *ends[::-1, 1]])
    heads, *rows = figures.forecast_csv(tested, share).splitlines()
    column = heads.split(",").index(f"low of {share:.0%}")
    assert [float(row.split(",")[column]) for row in rows] == pytest.approx(ends[:, 0].tolist())


def test_the_axis_begins_where_nearly_all_attention_is_in_sight(tested):
    begin = round(-figures.forecast(tested, 1).layout.xaxis.range[0]) + 1
    assert 4 * tested.horizon <= begin <= len(tested.forecast.read)
    weights = np.mean(
        [attention_to_values(tested.forecast.trace, step) for step in range(6)], axis=0
    )
    assert weights[-begin:].sum() >= 0.95 * weights.sum()


def test_a_sampled_path_follows_what_was_read_with_the_attention_of_its_step(tested):
    trace = tested.forecast.trace
    drawn = figures.forecast_path(trace, 2)
    lines = named(drawn)
    assert drawn.layout.xaxis.range == figures.forecast(tested, 2).layout.xaxis.range
    np.testing.assert_allclose(lines["history"].y, tested.forecast.read.values, rtol=1e-9)
    said = [float(value) for value in trace.target.text.split()]
    assert list(lines["sampled path"].y) == said
    assert list(lines["sampled path"].x) == [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(lines["attention"].y, attention_to_values(trace, 2))
    assert lines["attention"].x[-1] == 0
    assert figures.forecast_path_csv(trace).splitlines()[3].startswith("3,")


def test_a_run_of_a_text_has_no_path(trace):
    with pytest.raises(UserError, match="not of a series"):
        figures.forecast_path(trace, 0)
