"""Searches of several widths, timed."""

from dataclasses import replace

import pytest

from seq2seq.beam_cost import TIMES, beam_costs
from seq2seq.errors import UserError
from seq2seq.options import Options
from seq2seq.pipeline import run

TEXT = "The old dog sleeps in the garden."
OPTIONS = Options(max_length=8)


def test_each_width_finds_what_a_run_finds(checkpoint):
    found = beam_costs(checkpoint, TEXT, OPTIONS, widths=(1, 2, 5))
    assert [each.width for each in found] == [1, 2, 5]
    for each in found:
        method = "greedy" if each.width == 1 else "beam"
        trace = run(checkpoint, TEXT, replace(OPTIONS, method=method, beam_width=each.width))
        assert each.text == trace.text
        assert each.log_probability == pytest.approx(float(trace.log_probabilities.sum()), abs=1e-3)
        assert each.milliseconds > 0


def test_every_step_is_told(checkpoint):
    steps = []
    beam_costs(checkpoint, TEXT, OPTIONS, widths=(1,), on_step=lambda it: steps.append(it.step))
    assert steps.count(1) == 1 + TIMES
    assert max(steps) <= OPTIONS.max_length


def test_a_text_that_is_none_is_refused(checkpoint):
    with pytest.raises(UserError):
        beam_costs(checkpoint, " ", OPTIONS)
