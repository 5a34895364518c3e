"""Folders in the layout of Chronos, tiny and random, beside transformers and the paper's formulas.

The quantisation of reference is written here from Ansari et al. 2024, section 3.1, for itself.
"""

import json
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from seq2seq.analysis.attribution import leave_one_out
from seq2seq.analysis.reranking import complete, scores
from seq2seq.analysis.step_internals import step_internals
from seq2seq.checkpoint import load
from seq2seq.cli.main import main
from seq2seq.data.series import Series
from seq2seq.decoding.interventions import Interventions
from seq2seq.errors import UserError
from seq2seq.inference.forecasting import ForecastOptions, forecast, usual_options
from seq2seq.inference.inputs import prepare
from seq2seq.inference.pipeline import run
from seq2seq.inference.teacher_forcing import coverage
from tests.forecasters import CHRONOS, HIGH, LOW, TOKENS, chronos
from ui.instruments import formulas

FIRST, BINS = 3, TOKENS - 3  # ids 0 and 1 are padding and end; id 2 is not used
SERIES = Series(50 + 20 * np.sin(np.arange(40) / 2) + np.arange(40) % 3)
WITH_GAPS = Series(np.where(np.arange(40) % 7 == 3, np.nan, SERIES.values))


@pytest.fixture(scope="module")
def reference():
    return chronos()


@pytest.fixture(scope="module")
def folder(reference, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chronos") / "tiny-chronos"
    reference.save_pretrained(folder)
    return folder


def quantised(values):
    """Scale by the mean absolute value; the bin of x is how many midpoints of centres are <= x."""
    known = [value for value in values if not math.isnan(value)]
    scale = sum(map(abs, known)) / len(known) or 1.0
    centres = [LOW + (HIGH - LOW) * number / (BINS - 1) for number in range(BINS)]
    middles = [(a + b) / 2 for a, b in pairwise(centres)]
    ids = [
        0 if math.isnan(value) else FIRST + sum(middle <= value / scale for middle in middles)
        for value in values
    ]
    return [*ids, 1], scale, centres


@pytest.mark.parametrize("series", [SERIES, WITH_GAPS, Series(np.array([0.0, 0, 0, 0]))])
def test_numbers_become_the_tokens_of_the_paper(folder, series):
    checkpoint = load(folder)
    ids, scale, centres = quantised(series.values)
    assert prepare(checkpoint, series).ids == ids
    fitted = checkpoint.tokenizer.fitted(series.values)
    assert fitted.scaling.scale == pytest.approx(scale)
    np.testing.assert_allclose(
        fitted.values(np.arange(FIRST, TOKENS)), np.array(centres) * scale, atol=1e-9
    )
    assert np.isnan(fitted.values([0, 1, 2])).all()


@pytest.mark.parametrize("series", [SERIES, WITH_GAPS, Series(np.array([0.0, 0, 0, 0]))])
def test_numbers_become_the_tokens_of_the_package_of_its_authors(folder, series):
    package = pytest.importorskip("chronos.chronos")
    theirs = package.ChronosConfig(**CHRONOS).create_tokenizer()
    ids, mask, scale = theirs.context_input_transform(torch.tensor(series.values)[None])
    checkpoint = load(folder)
    assert prepare(checkpoint, series).ids == ids[0].tolist()
    assert [token != 0 for token in ids[0].tolist()] == mask[0].tolist()
    fitted = checkpoint.tokenizer.fitted(series.values)
    written = torch.arange(FIRST, TOKENS)
    np.testing.assert_allclose(
        fitted.values(written.numpy()),
        theirs.output_transform(written[None, None], scale)[0, 0].numpy(),
        rtol=1e-5,
        atol=1e-4,
    )


def test_only_the_last_values_of_its_context_are_read(folder):
    checkpoint = load(folder)
    series = Series(np.arange(100.0) + 1)
    source = prepare(checkpoint, series)
    assert source.ids == quantised(series.values[-48:])[0]
    assert "last 48 of 100" in source.notes[0]
    for options in (None, ForecastOptions(samples=2, context=90)):
        read = forecast(checkpoint, series, 2, options, record=False).read
        np.testing.assert_array_equal(read.values, series.values[-48:])


@pytest.mark.parametrize("series", [SERIES, WITH_GAPS])
def test_states_and_logits_are_those_of_transformers(folder, reference, series):
    checkpoint = load(folder)
    ids = torch.tensor([prepare(checkpoint, series).ids])
    target = torch.tensor([[0, 30, 40, 31, 29]])
    with torch.no_grad():
        theirs = reference(
            input_ids=ids, attention_mask=(ids != 0).long(), decoder_input_ids=target
        )
        states = checkpoint.model.encode(ids).states
        ours = checkpoint.model(ids, target)
    seen = ids[0] != 0  # what stands at a missing value is read by nobody
    torch.testing.assert_close(
        states[:, seen], theirs.encoder_last_hidden_state[:, seen], atol=2e-5, rtol=1e-4
    )
    torch.testing.assert_close(ours, theirs.logits, atol=2e-5, rtol=1e-4)


def test_sampled_paths_are_distributed_as_those_of_transformers(folder, reference):
    """Both draw from the 50 most probable values; the share of each differs as chance has it."""
    checkpoint, count = load(folder), 4_000
    ids = torch.tensor([prepare(checkpoint, WITH_GAPS).ids])
    torch.manual_seed(0)
    drawn = reference.generate(
        ids,
        attention_mask=(ids != 0).long(),
        do_sample=True,
        num_return_sequences=count,
        min_new_tokens=3,
        max_new_tokens=3,
        top_k=10,
        suppress_tokens=[0, 2],
    )[:, 1:].numpy()
    scale = quantised(WITH_GAPS.values)[1]
    theirs = (LOW + (HIGH - LOW) * (drawn - FIRST) / (BINS - 1)) * scale
    found = [
        forecast(checkpoint, WITH_GAPS, 3, ForecastOptions(200, top_k=10, seed=seed), record=False)
        for seed in range(20)
    ]
    ours = np.concatenate([each.paths for each in found])
    for step in range(3):
        shares = [
            [(paths[:, step].round(6) == value.round(6)).mean() for value in found[0].values]
            for paths in (ours, theirs)
        ]
        assert max(np.abs(np.subtract(*shares))) < 5 * math.sqrt(0.25 * 2 / count)
        expected = np.mean([each.probabilities[step] for each in found], axis=0)
        assert max(np.abs(expected - shares[1])) < 4 * math.sqrt(0.25 / count)


def test_it_forecasts_as_its_authors_do_unless_told_otherwise(folder):
    checkpoint = load(folder)
    assert checkpoint.card.task == "forecasting"
    options = usual_options(checkpoint)
    assert (options.samples, options.top_k) == (20, 50)
    found = forecast(checkpoint, SERIES, 4)
    assert found.paths.shape == (20, 4)
    assert (found.probabilities > 0).sum(axis=1).max() <= 20 * 50
    assert found.trace.attention.shape[1:] == (2, 4, len(SERIES) + 1)


def test_a_series_with_a_frequency_is_forecast_though_there_is_no_token_of_it(folder):
    checkpoint = load(folder)
    plain, monthly = (forecast(checkpoint, Series(SERIES.values, code), 3) for code in ("", "M"))
    np.testing.assert_array_equal(plain.paths, monthly.paths)
    assert plain.trace.target.ids == monthly.trace.target.ids


def test_a_missing_value_is_looked_at_by_nobody_also_beside_muted_ones(folder):
    checkpoint = load(folder)
    gaps = np.isnan(WITH_GAPS.values)
    for muted in ((), (0, 5)):
        options = usual_options(checkpoint)
        trace = run(
            checkpoint,
            WITH_GAPS,
            checkpoint.generation_config.options,
            interventions=Interventions(muted=muted),
        )
        looked = trace.attention[..., :-1].max(axis=(0, 1, 2))
        hidden = gaps | np.isin(np.arange(40), muted)
        assert looked[hidden].max() == 0
        assert looked[~hidden].min() > 0
        assert options.samples == 20


def test_a_step_taken_apart_sees_no_missing_value_either(folder):
    checkpoint, gaps = load(folder), np.append(np.isnan(WITH_GAPS.values), False)
    trace = forecast(checkpoint, WITH_GAPS, 3).trace
    for step in range(3):
        found = step_internals(checkpoint, WITH_GAPS, trace.target.ids, step, trace.options, head=1)
        np.testing.assert_allclose(found.look.weights, trace.attention[step, -1, 1], atol=1e-3)
        assert found.look.weights[gaps].max() == 0
        chosen = found.logits[found.chosen] - found.log_sum
        assert chosen == pytest.approx(trace.log_probabilities[step], abs=1e-4)
        written = [formulas.weight(found.attention, found.look, place) for place in range(41)]
        assert [r"\text{(nothing to look at)}" in each for each in written] == gaps.tolist()


def test_a_value_left_out_leaves_the_missing_ones_missing(folder):
    checkpoint = load(folder)
    trace = forecast(checkpoint, WITH_GAPS, 3).trace
    losses = leave_one_out(checkpoint, trace)
    target = torch.tensor([[0, *trace.target.ids[:-1]]])
    for place in (0, 3, 20):  # at 3 a value is missing
        ids = torch.tensor([trace.source.ids[:place] + trace.source.ids[place + 1 :]])
        with torch.inference_mode():
            logits = checkpoint.searcher(ids, target)[0].log_softmax(dim=-1)
        without = logits.gather(1, torch.tensor([trace.target.ids]).T)[:, 0].numpy()
        np.testing.assert_allclose(losses[:, place], trace.log_probabilities - without, atol=1e-4)


def test_what_is_missing_is_nothing_that_should_have_been_covered(folder):
    checkpoint, penalty = load(folder), 0.4
    options = replace(checkpoint.generation_config.options, method="beam", beam_width=3)
    options = replace(options, n_best=3, max_length=4, coverage_penalty=penalty)
    trace = run(checkpoint, WITH_GAPS, options)
    found = complete(trace)
    looked = coverage(checkpoint, WITH_GAPS, [each.tokens for each in found], options)
    assert looked.shape == (len(found), 41)
    assert (looked[:, :-1][:, np.isnan(WITH_GAPS.values)] == 1).all()
    again = scores(found, options.length_penalty, penalty, looked)
    np.testing.assert_allclose(again, [each.score for each in found], atol=1e-4)


def test_it_is_saved_and_opened_as_one_of_ours(folder, tmp_path):
    from seq2seq.checkpoint import save

    save(tmp_path / "copy", load(folder))
    copy = load(tmp_path / "copy")
    assert prepare(copy, WITH_GAPS).ids == prepare(load(folder), WITH_GAPS).ids


def test_the_command_line_forecasts_with_a_folder(folder, tmp_path, capsys):
    table = tmp_path / "table.csv"
    table.write_text("\n".join(f"{value:.4f}" for value in SERIES.values), encoding="utf-8")
    command = ["run", str(folder), "--series", str(table), "--horizon", "4", "--json"]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert np.shape(found["paths"]) == (20, 4)
    expected = forecast(load(folder), Series(SERIES.values.round(4)), 4).quantiles
    np.testing.assert_allclose(found["quantiles"]["0.5"], expected[:, 4])


@pytest.mark.parametrize("series", [SERIES, WITH_GAPS], ids=["whole", "gaps"])
def test_the_command_line_forecasts_what_the_package_of_its_authors_does(
    reference, tmp_path, capsys, series
):
    """With the most probable value alone, both write one path; others are distributed alike."""
    package = pytest.importorskip("chronos")
    table = tmp_path / "table.csv"
    table.write_text("value\n" + "".join(f"{x:.4f}\n" for x in series.values), encoding="utf-8")
    context = torch.tensor(series.values.round(4))[None]
    for top_k, samples in ((1, 2), (5, 200)):
        reference.config.chronos_config = CHRONOS | {"top_k": top_k, "num_samples": samples}
        folder = tmp_path / f"top-{top_k}"
        reference.save_pretrained(folder)
        theirs = package.ChronosPipeline.from_pretrained(folder)
        command = ["run", str(folder), "--series", str(table), "--horizon", "6", "--json"]
        assert main(command) == 0
        found = json.loads(capsys.readouterr().out)
        torch.manual_seed(0)
        paths = np.concatenate([theirs.predict(context, 6)[0].numpy() for _ in range(20 // top_k)])
        if top_k == 1:
            np.testing.assert_allclose(found["paths"], paths[:2], rtol=1e-4)
            continue
        # The bound of Kolmogorov and Smirnov for two samples, at 0.1 % for each step.
        bound = 1.95 * math.sqrt(1 / len(paths) + 1 / samples)
        for theirs_drawn, drawn in zip(paths.T, np.transpose(found["paths"]), strict=True):
            values = np.unique(theirs_drawn)[:, None] + 1e-3
            off = (theirs_drawn < values).mean(axis=1) - (drawn < values).mean(axis=1)
            assert np.abs(off).max() < bound
    reference.config.chronos_config = CHRONOS


PATCHES = {"input_patch_size": 16, "prediction_length": 64, "quantiles": [0.1, 0.5, 0.9]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architectures": ["ChronosBoltModelForForecasting"]}, "This is Chronos-Bolt"),
        ({"chronos_config": PATCHES}, "This is Chronos-Bolt"),
        ({"architectures": ["Chronos2Model"]}, "This is Chronos-2"),
        ({"chronos_pipeline_class": "Chronos2Pipeline"}, "This is Chronos-2"),
        ({"chronos_config": None}, "no table"),
        ({"chronos_config": CHRONOS | {"tokenizer_class": "Wavelets"}}, "'Wavelets'"),
        ({"chronos_config": CHRONOS | {"n_tokens": 65}}, "65 tokens and the model 64"),
        ({"chronos_config": CHRONOS | {"n_tokens": 2}}, "2 or more"),
        ({"chronos_config": CHRONOS | {"n_special_tokens": -1}}, "n_special_tokens is -1"),
        ({"chronos_config": CHRONOS | {"n_special_tokens": 0}}, "special tokens"),
        ({"chronos_config": CHRONOS | {"temperature": float("nan")}}, "temperature is nan"),
        ({"chronos_config": CHRONOS | {"tokenizer_kwargs": {"low_limit": 20}}}, "low < high"),
    ],
)
def test_what_is_no_chronos_t5_is_refused_in_one_sentence(folder, tmp_path, changes, said):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    values = json.loads((folder / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(values | changes))
    with pytest.raises(UserError) as error:
        load(copy)
    assert said in str(error.value)
    assert str(error.value).count(". ") == 0
