import numpy as np
import pytest
import torch

from seq2seq.analysis.attribution import attribute
from seq2seq.checkpoint import load
from seq2seq.data.series import Series
from seq2seq.decoding.interventions import Interventions
from seq2seq.errors import UserError
from seq2seq.inference.forecasting import LEVELS, ForecastOptions, forecast, quantiles_of
from seq2seq.inference.inputs import prepare
from seq2seq.inference.pipeline import run
from seq2seq.inference.teacher_forcing import force
from seq2seq.trace import Trace
from tests.forecasters import KINDS, write_forecaster

SERIES = Series(100 + 20 * np.sin(np.arange(40) * np.pi / 6), "M")


@pytest.fixture(scope="module", params=KINDS)
def checkpoint(request, tmp_path_factory):
    return load(write_forecaster(tmp_path_factory.mktemp("forecaster") / "tiny", request.param))


def test_a_forecast_has_paths_quantiles_and_a_recorded_path(checkpoint):
    found = forecast(checkpoint, SERIES, 7, ForecastOptions(samples=12))
    assert found.paths.shape == (12, 7)
    assert found.quantiles.shape == (7, len(LEVELS))
    assert (np.diff(found.quantiles, axis=1) >= 0).all()
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)
    trace = found.trace
    assert len(trace.target) == 7
    assert not any(trace.target.special)
    assert trace.attention.shape[-1] == len(trace.source) == len(SERIES) + 2
    again = run(checkpoint, trace.source.text, trace.options)
    assert again.target.ids == trace.target.ids
    assert Trace.from_json(trace.to_json()).text == trace.text


def test_paths_are_drawn_from_the_probabilities_of_each_step(checkpoint):
    found = forecast(checkpoint, SERIES, 1, ForecastOptions(samples=200), record=False)
    drawn = np.array([(found.paths[:, 0] == value).mean() for value in found.values])
    # The largest difference of two distributions of 200 draws: Kolmogorov and Smirnov's bound.
    off = np.abs(np.cumsum(drawn) - np.cumsum(found.probabilities[0])).max()
    assert off < 1.63 / np.sqrt(200)


def test_the_same_seed_draws_the_same_paths(checkpoint):
    one, two, other = (
        forecast(checkpoint, SERIES, 3, ForecastOptions(seed=seed), record=False).paths
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_the_top_token_alone_is_the_greedy_path(checkpoint):
    found = forecast(checkpoint, SERIES, 4, ForecastOptions(samples=3, top_k=1))
    assert len({tuple(path) for path in found.paths.tolist()}) == 1
    assert found.trace.ranks.tolist() == [0] * 4


def test_the_unit_and_level_of_a_series_scale_its_forecast(checkpoint):
    """Exactly but for the token that tells where zero lies, which is out of reach in both."""
    far = Series(1e5 + np.random.default_rng(0).normal(0, 20, 40), "M")
    thousandth = Series(far.values / 1_000, "M")
    one, other = (forecast(checkpoint, each, 3, record=False) for each in (far, thousandth))
    np.testing.assert_allclose(one.quantiles / 1_000, other.quantiles, rtol=1e-7)


def test_a_text_of_numbers_is_the_same_source_as_the_series(checkpoint):
    found = forecast(checkpoint, SERIES, 3)
    again = force(checkpoint, found.trace.source.text, found.trace.target.ids, found.trace.options)
    assert again.source.ids == found.trace.source.ids
    np.testing.assert_allclose(again.log_probabilities, found.trace.log_probabilities, atol=1e-5)


def test_a_search_and_an_intervention_work_as_with_text(checkpoint):
    options = forecast(checkpoint, SERIES, 3).trace.options
    trace = run(checkpoint, SERIES, options, interventions=Interventions(muted=(5, 6)))
    assert len(trace.target) == 3
    assert trace.attention[..., 5:7].max() == 0
    assert not set(trace.target.ids) & checkpoint.tokenizer.special


def test_missing_values_are_read_as_missing(checkpoint):
    values = SERIES.values.copy()
    values[3] = np.nan
    source = prepare(checkpoint, Series(values, "M"))
    assert source.tokens.pieces[5] == "▁?"
    assert np.isfinite(forecast(checkpoint, Series(values, "M"), 2).quantiles).all()


def test_only_the_last_values_of_a_long_series_are_read(checkpoint):
    series = Series(np.sin(np.arange(2_000.0)))
    assert len(prepare(checkpoint, series).ids) == 512 + 1  # and the token of zero
    assert "last 512" in prepare(checkpoint, series).notes[-1]
    assert len(forecast(checkpoint, series, 2, ForecastOptions(context=30)).read) == 30


def test_quantiles_lie_inside_the_bins_that_hold_them():
    values = np.array([1.0, 2, 3])
    sure = quantiles_of(np.array([[0.0, 1, 0]]), values, (0.25, 0.5, 0.75))
    np.testing.assert_allclose(sure, [[1.75, 2.0, 2.25]], atol=1e-6)


def test_an_outlier_that_makes_all_others_alike_is_told(checkpoint):
    values = SERIES.values.copy()
    assert forecast(checkpoint, Series(values), 2, record=False).notes == ()
    values[20] = 1e9
    (note,) = forecast(checkpoint, Series(values), 2, record=False).notes
    assert "far from all others" in note


def test_what_cannot_be_forecast_is_refused(checkpoint, checkpoint_root):
    for horizon in (0, 65):
        with pytest.raises(UserError, match="horizon"):
            forecast(checkpoint, SERIES, horizon)
    with pytest.raises(UserError, match="samples"):
        ForecastOptions(samples=0)
    with pytest.raises(UserError, match="forecaster"):
        prepare(load(checkpoint_root / "lstm-attention"), SERIES)
    with pytest.raises(UserError, match="two numbers"):
        run(checkpoint, "5")


def test_positions_are_counted_back_from_the_end(tmp_path):
    model = load(write_forecaster(tmp_path / "tiny")).model
    ids = torch.tensor([[7, 30, 31, 32, 0, 0], [7, 30, 31, 32, 33, 34]])
    padded = model.encoder.embedding(ids)
    alone = model.encoder.embedding(ids[:1, :4])
    torch.testing.assert_close(padded[:1, :4], alone)
    # The last tokens of both rows stand at the same place, so only their own vectors differ.
    tokens = model.encoder.embedding.tokens(ids) * model.encoder.embedding.scale
    torch.testing.assert_close((padded - tokens)[0, 3], (padded - tokens)[1, 5])


def test_attribution_reads_the_series_as_the_run_did(checkpoint):
    trace = forecast(checkpoint, SERIES, 2).trace
    found = attribute(checkpoint, trace)
    assert found.occlusion.shape == found.gradient.shape == (2, len(trace.source))
    # Without one value all before it stand one place nearer to the end: something must change.
    assert np.abs(found.occlusion).max() > 0
    np.testing.assert_allclose(found.gradient.sum(axis=1), 1, rtol=1e-6)
