import pytest

from seq2seq.data.parallel_corpus import Pair
from seq2seq.training.robustness import ALTERED, bleu, keeps, kept_scores, probes, typing_scores

MODULE = "seq2seq.training.robustness.translations"


@pytest.fixture
def parrot(monkeypatch):
    """Let the search say for each source what a function says."""

    def set_up(say):
        monkeypatch.setattr(MODULE, lambda checkpoint, sources, options=None: [*map(say, sources)])

    return set_up


def test_probes_are_the_same_each_time_and_hold_what_is_to_be_kept():
    tested = probes(rounds=2)
    assert tested == probes(rounds=2)
    for probe in tested:
        assert len(probe.kinds) == len(probe.kept)
        assert all(keeps(probe.pair.target, kept) for kept in probe.kept)
        assert probe.common != probe.pair


@pytest.mark.parametrize(
    ("output", "expected", "kept"),
    [
        ("Anna est là.", "Anna", True),
        ("Voici anna.", "Anna", True),
        ("Annabelle est là.", "Anna", False),
        ("Ça coûte 12 345 €.", "12 345 €", True),
        ("Il a 125 ans.", "25", False),
    ],
)
def test_only_whole_names_and_numbers_are_kept(output, expected, kept):
    assert keeps(output, expected) is kept


def test_perfect_outputs_keep_everything(parrot):
    tested = probes(rounds=2)
    right = {pair.source: pair.target for p in tested for pair in (p.pair, p.common) if pair}
    parrot(right.__getitem__)
    scores = kept_scores(None, tested)
    assert scores["names"] == scores["places"] == scores["numbers"] == 100
    assert scores["chrf"] == scores["chrf_common"] == 100
    assert set(scores["by_kind"].values()) == {100}


def test_outputs_without_names_keep_none(parrot):
    parrot(lambda source: "rien")
    scores = kept_scores(None, probes(rounds=1))
    assert scores["names"] == scores["places"] == scores["numbers"] == 0


def test_what_other_typing_costs(parrot):
    pairs = [Pair("It's the old house on the hill.", "C'est la vieille maison sur la colline.")]
    parrot(lambda source: pairs[0].target if source == pairs[0].source else "rien")
    scores = typing_scores(None, pairs)
    assert scores["bleu"] == pytest.approx(100)
    assert scores["lost"] == dict.fromkeys(ALTERED, pytest.approx(100))
    parrot(lambda source: pairs[0].target)
    assert set(typing_scores(None, pairs)["lost"].values()) == {0}


def test_no_outputs_have_no_score():
    assert bleu([], []) == 0
