import pytest

from seq2seq.catalogue import Card
from seq2seq.decoding.options import Options
from seq2seq.evaluation.evaluate_speech import _writes_english
from seq2seq.evaluation.speech_normalization import normalised


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("x i sixty one", "X-I-61."),
        ("x i sixty one", "XI 61"),
        ("one thirty one", "131"),
        ("four oh seven", "4 0 7"),
        ("six hundred forty nine", "649"),
        ("six hundred and forty-nine", "649"),
        ("march twenty fifth nineteen sixty seven", "March 25th, 1967."),
        ("october thirtieth", "October 30th"),
        ("it is", "It's"),
        ("i will not", "I won’t"),
        ("the first", "um, the 1st [noise] (laughs)"),
        ("half of it and one", "Half of it, and 1!"),
        ("12345", "12,345"),
    ],
)
def test_what_sounds_the_same_is_written_the_same(said, heard):
    assert normalised(said) == normalised(heard) != ""


@pytest.mark.parametrize(
    ("said", "heard"),
    [("sixteen", "sixty"), ("oh", "0"), ("b", "d"), ("fifth", "five"), ("its", "it is")],
)
def test_what_sounds_different_stays_different(said, heard):
    assert normalised(said) != normalised(heard)


@pytest.mark.parametrize("text", ["", "[music]", "...", "um"])
def test_nothing_said_is_nothing(text):
    assert normalised(text) == ""


@pytest.mark.parametrize(
    ("languages", "chosen", "english"),
    [
        (("en", "en"), "", True),
        (("fr", "fr"), "", False),
        (("en", "fr"), "", False),
        (("en", "fr", "de"), "", True),
        (("en", "fr", "de"), "fr", False),
        ((), "", True),
    ],
)
def test_only_english_is_normalised(languages, chosen, english):
    card = Card("a", "A model", "speech", "CC0-1.0", languages=languages)
    assert _writes_english(card, Options(source_language=chosen)) is english
