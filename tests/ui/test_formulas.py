"""What is written beside a step: its numbers, put into its formula, give its result."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from seq2seq.analysis.step_internals import step_internals
from seq2seq.checkpoint import load
from seq2seq.decoding.options import Options
from seq2seq.inference.pipeline import run
from ui.instruments import formulas

TEXT = "The old dog sleeps in the garden."
NUMBERS = re.compile(r"[\d\s.+\-*/()]+")


@pytest.fixture(params=["lstm-attention", "gru-plain", "rnn-additive", "transformer"])
def found(checkpoint_root, request):
    """The close-up of the third step."""
    checkpoint = load(checkpoint_root / request.param)
    options = Options(max_length=5, min_length=4)
    trace = run(checkpoint, TEXT, options)
    return step_internals(checkpoint, TEXT, trace.target.ids, 2, options)


def values(formula):
    """Return what the parts of a formula come to that are made of numbers alone."""
    text = formula.removeprefix(r"\begin{aligned} ").removesuffix(r" \end{aligned}")
    text = text.replace(r"\\ &\quad", " ").replace(r"\\", "=").replace("&", "")
    text = text.replace(r"\cdot", "*").replace(r"\quad", "")
    text = re.sub(r"\\tanh (\(-?[\d.]+\)|[\d.]+)", lambda m: f"{math.tanh(number(m[1]))}", text)
    text = re.sub(r"e\^\{([\d\s.()-]+)\}", lambda m: f"{math.exp(number(m[1]))}", text)
    parts = [part.strip() for part in re.split("=", text)]
    return [number(part) for part in parts if NUMBERS.fullmatch(part)]


def number(text):
    return float(eval(text, {"__builtins__": {}}))  # digits and signs of our own


def test_the_new_state(found):
    for cell in found.cells:
        for unit in (0, len(cell.after[0]) - 1):
            written = formulas.new_state(found.kind, cell, unit)
            results = values(written)
            assert len(results) >= 2
            assert results[-1] == pytest.approx(cell.after[0][unit], abs=0.006)
            assert results[-2] == pytest.approx(results[-1], abs=0.03)
            if found.kind == "lstm":
                assert results[0] == pytest.approx(results[1], abs=0.03)
                assert results[1] == pytest.approx(cell.after[1][unit], abs=0.006)


def test_pre_activations_and_logit(found):
    for cell in found.cells:
        written = formulas.pre_activations(found.kind, cell, 0)
        if found.kind == "rnn":
            assert written == ""
            continue
        *_, last = cell.gates
        assert values(written)[-1] == pytest.approx(cell.gates[last][0], abs=0.006)
        assert written.count(r"\sigma") == len(cell.gates) - 1
    results = values(formulas.logit(found, "r_t"))
    assert results[0] == pytest.approx(results[1], abs=0.03)
    if found.copying is None:
        assert results[1] == pytest.approx(found.logits[found.chosen], abs=0.006)


def test_the_weight_of_a_position(found):
    for look in filter(None, (found.look, found.own)):
        for place in range(len(look.weights)):
            results = values(formulas.weight(found.attention, look, place))
            assert results[-1] == pytest.approx(look.weights[place], abs=0.006)
            assert results[-2] == pytest.approx(results[-1], abs=0.03)
            if look.keys is not None:
                assert results[0] == pytest.approx(results[1], abs=0.03)


def test_a_unit_of_the_context(found):
    if found.look is None:
        return
    unit = int(np.abs(found.look.context).argmax())
    written = formulas.context(found.look, unit, found.kind == "transformer")
    assert r"\dots" in written
    assert values(written)[-1] == pytest.approx(found.look.context[unit], abs=0.006)


@pytest.mark.parametrize("copying", [None, 0.25, 1.0])
def test_the_probability_of_the_token(found, copying):
    if copying is not None:
        pointed = 0.1 * float(found.probabilities[found.chosen]) / copying
        if copying == 1:  # nothing but copied
            pointed = float(found.probabilities[found.chosen])
        found = replace(found, copying=copying, pointed=pointed)
    results = values(formulas.probability(found))
    assert results[-1] == pytest.approx(found.probabilities[found.chosen], abs=0.0006)
    assert results[-2] == pytest.approx(results[-1], abs=0.03)
