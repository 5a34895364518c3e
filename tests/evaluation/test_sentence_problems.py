import pytest

from seq2seq.evaluation.sentence_problems import PROBLEMS, sentence_problems

LONG = "one two three four five six seven eight"


@pytest.mark.parametrize(
    ("source", "reference", "output", "expected"),
    [
        ("The cat.", "Le chat.", "Le chat.", ()),
        ("The cat.", "Le chat.", "Un chien.", ()),
        ("The cat.", "Le chat.", " ", ("empty",)),
        ("", "", "", ()),
        ("The cat.", "Le chat.", "Le le chat.", ("repeats itself",)),
        ("We wash.", "Nous nous lavons.", "Nous nous lavons.", ()),
        ("The cat.", "Le chat.", "the cat.", ("copies its source",)),
        ("Paris", "Paris", "Paris", ()),
        ("At 10 and 12.", "À 10 et 12.", "À 12.", ("numbers left out",)),
        ("At 10 and 10.", "À 10 et 10.", "À 10 heures.", ("numbers left out",)),
        ("At 10.", "À dix heures.", "À dix heures.", ()),
        ("a", LONG, "one two three", ("less than half as long",)),
        ("a", LONG, "one two three four", ()),
        ("a", "one two three", LONG, ("more than twice as long",)),
        ("a", "one", "one two three", ()),
        ("at 7", LONG + " 7", "one one", tuple(PROBLEMS)[:1] + tuple(PROBLEMS)[2:4]),
    ],
)
def test_what_is_plainly_wrong_is_named(source, reference, output, expected):
    assert sentence_problems(source, reference, output) == expected
