import pytest

from seq2seq.evaluation.word_errors import CORRECT, DELETED, INSERTED, SUBSTITUTED, compare, plainly


def test_words_are_paired_with_their_counterparts():
    found = compare("enter four seven nine", "enter for seven nine oh")
    assert [tuple(pair) for pair in found.pairs] == [
        (CORRECT, "enter", "enter"),
        (SUBSTITUTED, "four", "for"),
        (CORRECT, "seven", "seven"),
        (CORRECT, "nine", "nine"),
        (INSERTED, "", "oh"),
    ]
    assert found.word_error_rate == pytest.approx(2 / 4)
    assert found.character_error_rate == pytest.approx(4 / len("enter four seven nine"))


@pytest.mark.parametrize("loosely", [True, False])
@pytest.mark.parametrize(
    ("said", "heard"),
    [("a b c", "a c"), ("one", "one two three"), ("so it is", "is it so"), ("a b", "")],
)
def test_the_rates_are_those_of_the_pairs(said, heard, loosely):
    found = compare(said, heard, loosely)
    errors = sum(map(found.count, (SUBSTITUTED, DELETED, INSERTED)))
    assert found.word_error_rate == pytest.approx(errors / len(said.split()))
    assert [pair.said for pair in found.pairs if pair.said] == said.split()
    assert [pair.heard for pair in found.pairs if pair.heard] == heard.split()


def test_capitals_and_punctuation_count_only_where_they_are_wanted():
    said, heard = "R, N, N — five.", "r n n five"
    assert compare(said, heard).word_error_rate == 0
    assert compare(said, heard, loosely=False).count(CORRECT) == 0
    assert compare(heard, heard, loosely=False).word_error_rate == 0


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Don’t  STOP!", "don't stop"),
        ("'quoted' words", "quoted words"),
        ("twenty-one", "twenty one"),
        ("Ça va ? Übung…", "ça va übung"),
        ("e\u0301te\u0301", "été"),
        ("…", ""),
    ],
)
def test_plain_texts(text, plain):
    assert plainly(text) == plain


@pytest.mark.parametrize(("said", "loosely"), [("", True), (" \n", False), ("?!", True)])
def test_without_words_nothing_is_compared(said, loosely):
    assert compare(said, "one", loosely) is None
