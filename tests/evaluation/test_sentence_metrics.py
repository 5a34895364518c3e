import pytest

from seq2seq.evaluation.sentence_metrics import sentence_scores


def test_the_reference_itself_has_all_points_and_something_else_none():
    assert sentence_scores("Le chat dort.", "Le chat dort.") == {
        "bleu": 100,
        "chrf": 100,
        "rouge_l": 100,
    }
    assert sentence_scores("xyz", "Le chat dort.")["bleu"] == pytest.approx(0, abs=0.1)


def test_nearer_is_better_in_all_of_them():
    near = sentence_scores("Le chat dort ici maintenant.", "Le chat dort ici ce soir.")
    far = sentence_scores("Un chien court dehors.", "Le chat dort ici ce soir.")
    assert all(near[name] > far[name] for name in near)


def test_short_and_empty_texts_are_survived():
    assert sentence_scores("Oui", "Oui")["bleu"] == 100
    assert sentence_scores("", "Oui")["bleu"] == 0
