import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from seq2seq.analysis.reference_comparison import compare, first_choice, first_difference
from seq2seq.decoding.options import Options
from seq2seq.figures import teacher_forcing as drawn
from seq2seq.inference.pipeline import run
from seq2seq.inference.teacher_forcing import force

TEXT, REFERENCE = "The old dog sleeps in the garden.", "Le chien court dans le jardin."


@pytest.fixture(scope="module")
def both(checkpoint):
    """What a tiny model wrote itself, and how it read a reference."""
    options = Options(beam_width=3, max_length=8)
    return run(checkpoint, TEXT, options), force(checkpoint, TEXT, REFERENCE, options)


def test_an_output_equals_itself(both):
    own, _ = both
    found = compare(own, own)
    assert found.differ is None
    assert found.scores[0] == found.scores[1]
    assert found.log_probabilities[0] == found.log_probabilities[1]


def test_a_reference_that_is_the_output_scores_100(both):
    _, reference = both
    found = compare(reference, reference)
    assert (found.bleu, found.chrf, found.rouge_l) == pytest.approx((100, 100, 100))


def test_the_first_difference_is_where_the_tokens_part(both):
    own, reference = both
    step = first_difference(own, reference)
    assert own.target.ids[:step] == reference.target.ids[:step]
    assert own.target.ids[step : step + 1] != reference.target.ids[step : step + 1]
    shorter = replace(own, target=replace(own.target, ids=own.target.ids[:3]))
    assert first_difference(shorter, own) == first_difference(own, shorter) == 3


def test_until_they_differ_both_are_equally_probable(both):
    own, reference = both
    step = first_difference(own, reference)
    np.testing.assert_allclose(
        own.log_probabilities[:step], reference.log_probabilities[:step], atol=1e-4
    )


def test_log_probabilities_and_scores(both):
    own, reference = both
    found = compare(own, reference)
    for number, trace in enumerate(both):
        total = float(trace.log_probabilities.sum())
        assert found.log_probabilities[number] == pytest.approx(total)
        assert found.scores[number] == pytest.approx(total / len(trace.target))
        assert found.scores[number] == pytest.approx(trace.outputs[0].score, abs=0.02)


def test_a_reference_without_latin_letters_has_no_rouge(both):
    own, reference = both
    other = replace(reference, target=replace(reference.target, text="собака"))
    assert compare(own, other).rouge_l is None


def test_the_first_choice_is_the_most_probable_piece(both):
    for trace in both:
        for step, rank in enumerate(trace.ranks):
            if rank == 0:
                assert first_choice(trace, step) == trace.target.pieces[step]


@pytest.mark.parametrize("dark", [False, True])
def test_probabilities_of_both_are_drawn(both, dark):
    own, reference = both
    bars, points = drawn.side_by_side(own, reference, (1, 2), dark).data
    np.testing.assert_allclose(bars.y, reference.probabilities)
    np.testing.assert_allclose(points.y, own.probabilities)
    assert [step for step, width in enumerate(bars.marker.line.width) if width > 1] == [2]
    assert np.argmax(points.marker.size) == 1
    assert {tuple(each) for each in (*bars.customdata, *points.customdata)} == {
        *((1, step) for step in range(len(reference.target))),
        *((0, step) for step in range(len(own.target))),
    }
    assert [drawn.rank_colour(rank) for rank in (0, 1, 4, 5)] == [
        drawn.RANKS[0],
        drawn.RANKS[1],
        drawn.RANKS[1],
        drawn.RANKS[2],
    ]


def test_csv_holds_both(both):
    lines = list(csv.DictReader(io.StringIO(drawn.side_by_side_csv(*both))))
    assert [line["output"] for line in lines].count("own") == len(both[0].target)
    assert [line["output"] for line in lines].count("reference") == len(both[1].target)
    assert all((line["rank"] == "1") == (line["token"] == line["most_probable"]) for line in lines)
