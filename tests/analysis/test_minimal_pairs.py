import pytest

from seq2seq.analysis.minimal_pairs import contrasts


@pytest.mark.parametrize(
    ("text", "kind", "other"),
    [
        ("He sold his car.", "pronoun", "She sold his car."),
        ("My sister is here.", "pronoun", "Your sister is here."),
        ("My sister is here.", "tense", "My sister was here."),
        ("My sister is here.", "negation", "My sister is not here."),
        ("She did not see this dog.", "negation", "She did see this dog."),
        ("I can't swim.", "negation", "I can swim."),
        ("It isn't far.", "negation", "It is far."),
        ("Do you swim?", "negation", "Don't you swim?"),
        ("Can you swim?", "negation", "Can't you swim?"),
        ("Don't you swim?", "negation", "Do you swim?"),
        ("I saw this.", "number", "I saw these."),
        ("A dog sleeps.", "number", "Two dog sleeps."),
        ("The black cat sleeps.", "word order", "The cat black sleeps."),
        ("Old dogs sleep.", "word order", "Dogs old sleep."),
        ("She can't see, but the dog barks.", "word order", "She can't see, but the barks dog."),
        ("It rains.", "question mark", "It rains?"),
        ("Is it late?", "full stop", "Is it late."),
    ],
)
def test_one_thing_changes(text, kind, other):
    assert contrasts(text)[kind] == other


def test_every_contrast_differs_and_words_inside_others_are_left():
    for text in ("He saw the theatre.", "The hero is hissing.", "They have a caravan."):
        for other in contrasts(text).values():
            assert other != text
    assert "pronoun" not in contrasts("The theatre opens.")
    assert "tense" not in contrasts("I can't swim.")
    assert "word order" not in contrasts("It is on the chair.")


def test_nothing_to_change_is_nothing():
    assert contrasts("Hello") == {}
    assert contrasts("") == {}
