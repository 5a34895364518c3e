"""Several sentences read at once, against each alone."""

import pytest
from sacrebleu.metrics import CHRF

from seq2seq.errors import UserError
from seq2seq.experiments.concatenation import Concatenation, decode_joined, joined_curve
from seq2seq.inference.pipeline import run

SENTENCES = ["The cat sleeps.", "My sister reads.", "It is raining.", "The dog runs."]


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_outputs_are_those_of_runs(checkpoint, precision):
    checkpoint = checkpoint.searching_in(precision)
    found = decode_joined(checkpoint, SENTENCES, counts=(2, 3), groups=3)
    assert [each.sentences for each in found] == [2, 2, 2, 3, 3, 3]
    for each in found[::3]:
        parts = [part for part in SENTENCES if part in each.source]
        parts.sort(key=each.source.index)
        assert each.source == " ".join(parts)
        assert len(parts) == each.sentences
        assert each.output == run(checkpoint, each.source).text
        assert each.alone == " ".join(run(checkpoint, part).text for part in parts)


def test_a_group_of_one_loses_nothing(checkpoint):
    found = decode_joined(checkpoint, SENTENCES, counts=(1,), groups=4)
    # Fresh weights may write nothing, of which no n-gram can be found again.
    assert all(each.chrf == pytest.approx(100) for each in found if each.alone.strip())
    assert all(each.output == each.alone for each in found)


def test_the_same_seed_draws_the_same_groups(checkpoint):
    first, second, other = (
        decode_joined(checkpoint, SENTENCES, counts=(2,), groups=4, seed=seed) for seed in (1, 1, 2)
    )
    assert first == second
    assert [each.source for each in first] != [each.source for each in other]


def test_what_is_done_is_told(checkpoint):
    told = []
    decode_joined(
        checkpoint, SENTENCES, counts=(2,), groups=3, on_input=lambda *it: told.append(it)
    )
    assert told == [(done, 7) for done in range(1, 8)]


def test_too_few_sentences_are_refused_with_the_number(checkpoint):
    with pytest.raises(UserError, match="2 different sentences: give at least 3"):
        decode_joined(checkpoint, ["A.", "B.", "A."], counts=(2, 3))


def test_chance_is_what_an_output_gets_beside_other_sentences(checkpoint, monkeypatch):
    monkeypatch.setattr(
        "seq2seq.experiments.concatenation.to_text", lambda checkpoint, found, source: source
    )
    monkeypatch.setattr("seq2seq.experiments.concatenation.find", lambda checkpoint, text: None)
    found = decode_joined(checkpoint, SENTENCES, counts=(1, 2), groups=2, seed=3)
    for first, second in (found[:2], found[2:]):
        assert first.chrf == second.chrf == pytest.approx(100)
        apart = CHRF().sentence_score(first.output, [second.alone]).score
        assert first.chance == pytest.approx(apart)
        assert (first.chance < 100) == (first.alone != second.alone)


def test_a_curve_has_the_means():
    scores = {2: [90.0, 100.0, 80.0], 4: [50.0, 60.0]}
    found = [Concatenation(n, "", "", "", x, x / 10) for n, each in scores.items() for x in each]
    curve = joined_curve("a", found)
    assert (curve.name, curve.x, curve.y) == ("a", (2, 4), (90.0, 55.0))
    assert curve.notes == ("mean of 3 inputs", "mean of 2 inputs")
    assert joined_curve("a", found, "chance").y == (9.0, 5.5)
