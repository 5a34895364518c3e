"""Every experiment on tiny models: what must hold whatever the numbers are."""

import inspect
import json
from importlib import import_module

import numpy as np
import pytest
import torch

from seq2seq.checkpoint import load
from seq2seq.data.example_series import EXAMPLE_SERIES
from seq2seq.errors import UserError
from seq2seq.experiments import (
    attention_gain,
    context_kept,
    context_paths,
    domains,
    reading_directions,
)
from seq2seq.experiments.references import LENGTHS, references
from seq2seq.experiments.registry import NAMES, run_experiment
from seq2seq.experiments.result import AGAINST, FOR, UNDECIDED, by_sign, interval
from tests.forecasters import write_forecaster

FEW = tuple(references()[place] for place in (0, 1, 14, 15, 26, 27, 44, 45))
# Small enough for a test; models by their names in the fixture's folder.
SETTINGS = {
    "variable-length": {"model": "lstm-attention", "words": (1, 3, 6)},
    "effective": {"models": ("gru-plain", "transformer"), "pairs": FEW},
    "both-directions": {"models": ("gru-plain", "lstm-attention"), "pairs": FEW},
    "context-kept": {"model": "gru-plain", "sentences": 60},
    "many-domains": {
        "inputs": (("gru-plain", "The cat."), ("forecaster", EXAMPLE_SERIES[1].title))
    },
    "attention-helps": {"models": ("gru-plain", "lstm-attention"), "pairs": FEW},
    "end-to-end": {"seconds": 0.3, "width": 8},
    "bottleneck": {"seconds": 0.3, "width": 8},
    "training-cost": {"models": ("gru-plain", "transformer"), "rows": 2},
    "data-needs": {"seconds": 0.2, "pairs": (20, 60)},
    "long-dependencies": {"models": ("gru-plain", "lstm-attention"), "sentences": 2},
    "latency": {"model": "lstm-attention", "text": "The cat sleeps.", "widths": (1, 3)},
    "overfitting": {"seconds": 0.3, "pairs": 30},
    "teacher-forcing": {"model": "lstm-attention", "pairs": FEW},
    "keras-example": {"model": "gru-plain", "pairs": FEW},
    "model-names": {"model": "transformer", "pairs": FEW},
}


@pytest.fixture
def by_name(checkpoint_root, tmp_path_factory):
    def by_name(name):
        return load(str(checkpoint_root / name if name != "forecaster" else forecaster))

    forecaster = write_forecaster(tmp_path_factory.mktemp("forecaster") / "forecaster")
    return by_name


@pytest.mark.parametrize("name", NAMES)
def test_a_result_is_complete(by_name, name):
    parts = []
    result = run_experiment(name, by_name, lambda *part: parts.append(part), 3, **SETTINGS[name])
    assert result.verdict in (FOR, AGAINST, UNDECIDED)
    assert np.isfinite(result.value)
    assert result.seed == 3
    assert result.seconds > 0
    assert parts
    assert all(0 <= done <= total for done, total in parts)
    assert result.sentence.endswith(".")
    assert len({len(values) for values in result.table.values()}) == 1
    for curve in result.curves:
        assert len(curve.x) == len(curve.y) > 0
        assert np.isfinite(curve.y).all()
        if curve.low:
            for low, y, high in zip(curve.low, curve.y, curve.high, strict=True):
                assert low - 1e-9 <= y <= high + 1e-9
        if result.axes.ticks:
            assert set(curve.x) <= set(range(1, len(result.axes.ticks) + 1))
    read = json.loads(json.dumps(result.to_dict()))
    assert read["verdict"] == result.verdict


@pytest.mark.parametrize("name", NAMES)
def test_what_decides_is_written_down_before(name):
    module = import_module(f"seq2seq.experiments.{NAMES[name]}")
    assert "Rule: for the claim if" in module.__doc__.replace("\n", " ")
    assert list(inspect.signature(module.run).parameters)[:3] == ["load", "on_part", "seed"]


def test_an_unknown_name_is_one_sentence(by_name):
    with pytest.raises(UserError, match=r"no experiment 'bottle'.*bottleneck"):
        run_experiment("bottle", by_name, print)


@pytest.mark.parametrize("experiment", [attention_gain, reading_directions])
def test_a_model_against_itself_gains_nothing(by_name, experiment):
    result = experiment.run(by_name, lambda *part: None, 0, ("gru-plain", "gru-plain"), FEW)
    assert result.value == 0
    assert result.verdict == UNDECIDED


def test_c_is_switched_off_where_it_says_and_nowhere_else(by_name):
    checkpoint = by_name("gru-plain")
    source = torch.tensor([[5, 6, 7, 3]])
    memory, decoder = checkpoint.model.encode(source), checkpoint.model.decoder
    logits = {}
    for name, paths in context_paths.PATHS.items():
        switched = context_paths.SwitchedDecoder(decoder, paths)
        steps = switched.forward(torch.tensor([[2, 9, 8]]), memory)
        assert steps.context.any() == paths.every
        assert switched.start(memory)[0][0].any() == paths.first
        logits[name] = steps.logits
    whole = decoder.forward(torch.tensor([[2, 9, 8]]), memory).logits
    torch.testing.assert_close(logits["both"], whole, atol=1e-5, rtol=0)
    assert not torch.equal(logits["first state only"], logits["every step only"])


def test_a_model_that_gets_no_c_both_ways_is_one_sentence(by_name):
    with pytest.raises(UserError, match="without attention"):
        context_paths.run(by_name, print, 0, "lstm-attention", FEW)


def test_shuffled_answers_are_only_guessed(by_name, monkeypatch):
    draw = np.random.default_rng(0)

    def shuffled(count, seed=0):
        given = real(count, seed)
        order = draw.permutation(count)
        return [
            each._replace(text=given[place].text) for each, place in zip(given, order, strict=True)
        ]

    real = context_kept.probes
    monkeypatch.setattr(context_kept, "probes", shuffled)
    result = context_kept.run(by_name, lambda *part: None, 0, "gru-plain", 200)
    known, _, guessed = (np.mean(curve.y) for curve in result.curves)
    assert abs(known - guessed) < 8
    assert result.verdict != FOR


def test_a_missing_recording_is_named(by_name, tmp_path):
    inputs = (("gru-plain", ""),)
    with pytest.raises(UserError, match="recording"):
        domains.run(by_name, lambda *part: None, 0, inputs, tmp_path / "none.flac")


def test_intervals_hold_the_mean_about_as_often_as_they_say():
    draw = np.random.default_rng(0)
    ends = [interval(draw.normal(1, 1, 40).tolist(), seed) for seed in range(200)]
    assert 0.88 <= np.mean([low <= 1 <= high for low, high in ends]) <= 0.99


@pytest.mark.parametrize(
    ("ends", "verdict"), [((0.1, 2), FOR), ((-2, -0.1), AGAINST), ((-1, 1), UNDECIDED)]
)
def test_a_difference_is_judged_by_its_interval(ends, verdict):
    assert by_sign(*ends) == verdict


def test_references_are_of_every_length_and_different():
    groups = [reference.group for reference in references()]
    assert groups == sorted(groups)
    assert {groups.count(place) for place in range(len(LENGTHS))} == {len(groups) // len(LENGTHS)}
    assert len({reference.source for reference in references()}) == len(groups)
    assert all(reference.target.strip() for reference in references())


def test_a_forecast_comes_to_its_end_after_as_many_values_as_were_asked_for(by_name):
    inputs = (("forecaster", EXAMPLE_SERIES[1].title),)
    result = domains.run(by_name, lambda *part: None, 0, inputs)
    assert (result.verdict, result.value) == (FOR, 1.0)
    assert len(result.table["output"][0].split()) == domains.FORECAST
