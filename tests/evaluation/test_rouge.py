import pytest

from seq2seq.evaluation.rouge import (
    first_words,
    kept,
    kept_f1,
    rouge_l,
    rouge_n,
    summary_scores,
)

SOURCE = "The old cat sleeps on the red chair in the house."


@pytest.mark.parametrize(
    ("output", "reference", "one", "two", "longest"),
    [
        ("the cat sleeps", "the cat sleeps", 1, 1, 1),
        ("the cat", "a dog", 0, 0, 0),
        ("the cat sat", "the cat sleeps here", 4 / 7, 2 / 5, 4 / 7),
        ("cat the", "the cat", 1, 0, 1 / 2),
        ("the the the", "the cat", 2 / 5, 0, 2 / 5),
        ("The CAT!", "the cat", 1, 1, 1),
        ("police killed the gunman", "police kill the gunman", 3 / 4, 1 / 3, 3 / 4),
        ("the gunman kill police", "police kill the gunman", 1, 1 / 3, 1 / 2),
        ("", "the cat", 0, 0, 0),
        ("", "", 0, 0, 0),
    ],
)
def test_rouge_is_what_is_counted_by_hand(output, reference, one, two, longest):
    assert rouge_n(output, reference, 1) == pytest.approx(one)
    assert rouge_n(output, reference, 2) == pytest.approx(two)
    assert rouge_l(output, reference) == pytest.approx(longest)
    assert rouge_n(reference, output, 2) == pytest.approx(two)


def test_words_that_are_kept_are_found_where_they_stand():
    assert kept("The cat sleeps in the house.", SOURCE) == {0, 2, 3, 8, 9, 10}
    assert kept("Dogs bark.", SOURCE) == set()


def test_the_score_of_kept_words_is_a_harmonic_mean():
    assert kept_f1(SOURCE, SOURCE, SOURCE) == 1
    assert kept_f1("The cat sleeps.", "The cat sleeps on the chair.", SOURCE) == pytest.approx(
        2 * 3 / (3 + 6)
    )
    assert kept_f1("Dogs.", "The cat.", SOURCE) == 0


def test_scores_are_means_over_texts_of_the_best_reference():
    scores = summary_scores(
        ["the cat sleeps", "a dog"], [["no", "the cat sleeps"], ["the cat"]], [SOURCE, "A dog."]
    )
    assert scores["rouge_1"] == scores["rouge_l"] == 50
    assert scores["words_kept"] == pytest.approx(100 * 5 / 13, abs=0.05)
    lead = summary_scores([first_words(SOURCE, 10)], [["the cat"]], [SOURCE])
    assert lead["first_words_rouge_1"] == lead["rouge_1"] > 0
    assert lead["first_words_kept_f1"] == lead["kept_f1"] > 0
