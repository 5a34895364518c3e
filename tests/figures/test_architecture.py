import base64
import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from seq2seq import figures
from seq2seq.analysis.model_outline import outline
from seq2seq.analysis.run_internals import run_internals
from seq2seq.checkpoint import load
from seq2seq.decoding.options import Options
from seq2seq.figures.architecture import CANDIDATES, LEVELS, WEIGHT_UNIT, pool
from seq2seq.inference.pipeline import run
from seq2seq.models.config import Config
from seq2seq.trace import label
from tests.analysis.test_run_internals import MODELS
from tests.analysis.test_step_internals import built

TEXT = "The old dog sleeps in the garden."
# The parts of a step in the order in which each model computes them.
ORDERS = {
    "lstm-attention": ["decoder", "attention", "context", "readout", "output"],
    "gru-plain": ["context", "decoder", "readout", "output"],
    "rnn-additive": ["attention", "context", "decoder", "readout", "output", "copy"],
    "transformer": ["self", "attention", "context", "decoder", "output"],
    "gru-deep": ["decoder", "attention", "context", "readout", "output"],
    "lstm-both-ways": ["attention", "context", "decoder", "readout", "output"],
    "copying": ["decoder", "attention", "context", "readout", "output", "copy"],
    "norm-last": ["self", "attention", "context", "decoder", "output"],
    "gru-unfed": ["context", "decoder", "output"],
    "luong-fed": ["decoder", "attention", "context", "readout", "output"],
}
NUMBER = r"\(?−?[\d,.]+\)?"


@pytest.fixture(scope="module")
def runs(tokenizer, checkpoint_root):
    """Return the run of a kind of model, its outline and its internals, each made once."""
    card, found = load(checkpoint_root / "transformer").card, {}

    def get(name):
        if name not in found:
            config = Config.from_dict({"vocabulary": len(tokenizer), "width": 16} | MODELS[name])
            checkpoint = built(config, card, tokenizer)
            trace = run(checkpoint, TEXT, Options(beam_width=2, max_length=6))
            found[name] = trace, outline(checkpoint), run_internals(checkpoint, TEXT, trace)
        return found[name]

    return get


@pytest.fixture(params=list(MODELS))
def made(request, runs):
    trace, model, internals = runs(request.param)
    return request.param, trace, internals, figures.architecture(trace, model, internals)


def value(text):
    return float(text.strip("()").replace("−", "-").replace(",", ""))


def strip(picture, name):
    held = picture["strips"][name]
    values = np.frombuffer(base64.b64decode(held["values"]), dtype=np.int8)
    return values.reshape(-1, held["parts"], held["cells"]) * picture["scale"] / LEVELS


def line(picture, step, part):
    (found,) = [each for each in picture["steps"][step]["formulas"] if each["part"] == part]
    return found


def test_formulas_stand_in_the_order_of_the_model(made):
    name, trace, _, picture = made
    for step in picture["steps"]:
        assert [each["part"] for each in step["formulas"]] == ORDERS[name]
    assert len(picture["steps"]) == len(trace.target)


def test_the_previous_token_is_read_with_what_feeds_the_decoder(made):
    name, _, _, picture = made
    formula = line(picture, 1, "decoder")["formula"]
    beside = {
        "lstm-attention": "(y_{t−1}, ",
        "gru-plain": "([y_{t−1}; c], ",
        "rnn-additive": "([y_{t−1}; c_t], ",
        "gru-deep": "([y_{t−1}; r_{t−1}], ",
        "gru-unfed": "(y_{t−1}, ",
        "luong-fed": "([y_{t−1}; r_{t−1}], ",
    }
    assert beside.get(name, "") in formula
    if "attention" in ORDERS[name] and name not in ("transformer", "norm-last"):
        query = "s_{t−1}" if ORDERS[name][0] == "attention" else "s_t"
        assert query in line(picture, 1, "attention")["formula"]


def test_the_numbers_lead_from_logits_to_the_probability_of_the_run(made):
    _, trace, internals, picture = made
    for step, probability in enumerate(trace.probabilities):
        if internals.written is not None:
            numbers = line(picture, step, "copy")["numbers"]
            parts = re.fullmatch(
                rf"({NUMBER}) · ({NUMBER}) \+ ({NUMBER}) · ({NUMBER}) = ({NUMBER})", numbers
            )
            keep, written, copy, pointed, total = map(value, parts.groups())
            assert total == pytest.approx(keep * written + copy * pointed, abs=0.02)
            assert total == pytest.approx(probability, abs=0.006)
            continue
        numbers = line(picture, step, "output")["numbers"]
        parts = re.fullmatch(rf"log P = ({NUMBER}) − ({NUMBER}) = ({NUMBER}); P = (.*) %", numbers)
        logit, total, log, share = map(value, parts.groups())
        assert log == pytest.approx(logit - total, abs=0.02)
        assert log == pytest.approx(float(trace.log_probabilities[step]), abs=0.006)
        assert share == pytest.approx(100 * probability, abs=0.06)
        exact = internals.chosen_logits[step] - internals.log_sums[step]
        assert exact == pytest.approx(float(trace.log_probabilities[step]), abs=1e-4)


def test_the_positions_named_are_those_with_most_weight(made):
    _, trace, internals, picture = made
    if trace.attention is None:
        return
    for step in range(len(trace.target)):
        weights = trace.attention[step].mean(axis=(0, 1), dtype=np.float32)
        first, *_ = line(picture, step, "attention")["numbers"].split(" · ")
        best = int(weights.argmax())
        if trace.attention.shape[1] * trace.attention.shape[2] > 1:
            assert first.startswith("mean of all layers and heads: ")
            first = first.removeprefix("mean of all layers and heads: ")
        assert first.startswith(label(trace.source.pieces[best]) + ": ")
        assert value(re.split(r"[ ]", first)[-1]) == pytest.approx(weights[best], abs=0.006)
        if internals.scores is not None:
            assert value(first.split(" → ")[0].rsplit(": ")[-1]) == pytest.approx(
                internals.scores[step, best], abs=0.006
            )


def test_weights_of_all_heads_are_there(made):
    _, trace, _, picture = made
    if trace.attention is None:
        assert picture["attention"] is None
        return
    held = np.frombuffer(base64.b64decode(picture["attention"]["weights"]), dtype="<u2")
    target, layers, heads, source = trace.attention.shape
    views = 1 if layers * heads == 1 else 1 + layers * heads
    held = held.reshape(views, target, source) / WEIGHT_UNIT
    np.testing.assert_allclose(held[0], trace.attention.mean((1, 2), dtype=np.float32), atol=1e-4)
    np.testing.assert_allclose(held[-1], trace.attention[:, -1, -1].astype(float), atol=1e-4)
    assert len(picture["attention"]["views"]) == (0 if views == 1 else views)


def test_strips_are_the_states_of_the_run(made):
    name, trace, internals, picture = made
    for key, states in (
        ("encoder", trace.encoder_states),
        ("decoder", trace.decoder_states),
        ("context", trace.contexts),
        ("readout", internals.readouts),
    ):
        limit = picture["scale"]
        expected = np.clip(states.astype(np.float32), -limit, limit)
        found = strip(picture, key)
        # Sixteen units or fewer have a cell each.
        np.testing.assert_allclose(found.reshape(len(states), -1), expected, atol=limit / LEVELS)
    both = MODELS[name].get("bidirectional", False)
    assert picture["strips"]["encoder"]["parts"] == 1 + both


def test_a_cell_is_what_reaches_furthest_from_0():
    vectors = np.array([[1, -3, 2, 0, 0.5, -0.1, 4, -5]], dtype=np.float32)
    assert pool(vectors, 1, 4).tolist() == [[[-3, 2, 0.5, -5]]]
    assert pool(vectors, 2, 4).tolist() == [[[-3, 2], [0.5, -5]]]
    assert pool(vectors, 1, 100).ravel().tolist() == vectors.ravel().tolist()
    assert pool(vectors[:0]).shape == (0, 1, 0)


def test_candidates_are_those_of_the_run(made):
    _, trace, _, picture = made
    for number, step in enumerate(picture["steps"]):
        pieces = trace.alternatives.pieces[number][:CANDIDATES]
        assert [name for name, _ in step["candidates"]] == [label(piece) for piece in pieces]
        shares = np.exp(trace.alternatives.log_probabilities[number][:CANDIDATES])
        np.testing.assert_allclose([p for _, p in step["candidates"]], shares, atol=1e-4)
        assert step["rank"] == trace.ranks[number]


def test_sizes_and_weights_stand_on_the_parts(runs):
    for name in MODELS:
        trace, model, internals = runs(name)
        picture = figures.architecture(trace, model, internals)
        told = {key: part["lines"] for key, part in picture["parts"].items()}
        assert f"{len(trace.source)} × 16" in told["encoder"]
        assert f"{model.parameters['encoder']:,} weights" in told["encoder"]
        counted = [each for lines in told.values() for each in lines if each.endswith(" weights")]
        assert sum(value(each.split()[0]) for each in counted) == model.total


def test_names_of_architectures(runs):
    def name(kind):
        trace, model, internals = runs(kind)
        return figures.architecture(trace, model, internals)["title"]

    assert name("gru-plain") == "GRU without attention"
    assert name("lstm-both-ways") == "Bidirectional LSTM with additive attention"
    assert name("copying") == "LSTM with general attention and copy mechanism"
    assert name("transformer") == "Transformer"


def test_a_saved_run_is_drawn_without_its_model(made):
    _, trace, _, _ = made
    picture = figures.architecture(trace)
    assert picture["model"]["kind"] == "unknown"
    assert picture["title"] in ("Encoder-decoder", "Encoder-decoder with attention")
    log = float(trace.log_probabilities[0])
    assert f"{log:.2f}".replace("-", "−") in line(picture, 0, "output")["numbers"]
    assert len(picture["source"]["numbers"]) == len(trace.source)


def test_it_is_json_and_the_same_each_time(made, runs):
    name, _, _, picture = made
    again = figures.architecture(*runs(name))
    assert json.loads(json.dumps(picture)) == picture == again


def test_large_attention_is_left_to_the_mean(runs, monkeypatch):
    trace, model, internals = runs("transformer")
    monkeypatch.setattr(sys.modules["seq2seq.figures.architecture"], "MAX_WEIGHTS", 10)
    picture = figures.architecture(trace, model, internals)
    held = np.frombuffer(base64.b64decode(picture["attention"]["weights"]), dtype="<u2")
    assert picture["attention"]["views"] == []
    assert held.size == len(trace.target) * len(trace.source)


def test_positions_of_a_recording_are_named_by_their_time(runs):
    trace, model, internals = runs("lstm-attention")
    picture = figures.architecture(replace(trace, position_seconds=0.04), model, internals)
    assert picture["model"]["seconds"] == 0.04
    assert re.match(r"\d\.\d\d s: ", line(picture, 0, "attention")["numbers"])
