"""Searches of several widths, timed."""

from dataclasses import replace

import pytest

from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.experiments.beam_cost import TIMES, BeamCost, beam_costs
from seq2seq.inference.pipeline import run
from ui.views.beam_cost import compared

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


def test_every_search_is_told_before_it_is_timed(checkpoint):
    told = []
    beam_costs(checkpoint, TEXT, OPTIONS, (1, 2), lambda done, all_: told.append((done, all_)))
    assert told == [(done, 2 * TIMES) for done in range(2 * TIMES)]


def test_a_rule_about_the_source_holds_here_too(checkpoint):
    ruled = replace(
        checkpoint, generation_config=replace(checkpoint.generation_config, no_copy_ngram=1)
    )
    for each in beam_costs(ruled, TEXT, OPTIONS, widths=(1, 3)):
        method = "greedy" if each.width == 1 else "beam"
        trace = run(ruled, TEXT, replace(OPTIONS, method=method, beam_width=each.width))
        assert each.text == trace.text


@pytest.mark.parametrize(
    ("narrow", "wide", "said"),
    [
        ((1, 10.0, -2.0, "a"), (10, 25.0, -1.0, "b"), "2.5 times as long as width 1 and found an"),
        ((1, 10.0, -2.0, "a"), (10, 25.0, -1.0, "b"), "is 1.00 higher."),
        ((1, 10.0, -1.0, "a"), (10, 25.0, -2.5, "b"), "is 1.50 lower."),
        ((1, 10.0, -1.0, "a"), (10, 25.0, -1.001, "b"), "another output that is as probable."),
        ((1, 10.0, -1.0, "a"), (10, 5.0, -1.0, "a"), "0.5 times as long as width 1 and found the"),
    ],
)
def test_what_a_wide_beam_took_and_found_is_said(narrow, wide, said):
    assert said in compared(BeamCost(*narrow), BeamCost(*wide))


def test_a_text_that_is_none_is_refused(checkpoint):
    with pytest.raises(UserError):
        beam_costs(checkpoint, " ", OPTIONS)
