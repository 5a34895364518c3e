import pytest

from seq2seq.data.number_words import READ, english, french, read_english, read_french

FRENCH = {
    2: "deux",
    21: "vingt et un",
    22: "vingt-deux",
    71: "soixante et onze",
    77: "soixante-dix-sept",
    80: "quatre-vingts",
    81: "quatre-vingt-un",
    91: "quatre-vingt-onze",
    100: "cent",
    200: "deux cents",
    201: "deux cent un",
    1_000: "mille",
    2_080: "deux mille quatre-vingts",
}
ENGLISH = {
    0: "zero",
    13: "thirteen",
    25: "twenty-five",
    40: "forty",
    100: "one hundred",
    1_000: "one thousand",
}
NUMBERS = [*range(1_200), 1_999, 2_000, 7_171, READ]


@pytest.mark.parametrize(("number", "words"), FRENCH.items())
def test_french_is_written_as_schools_teach_it(number, words):
    assert french(number) == words


@pytest.mark.parametrize(("number", "words"), ENGLISH.items())
def test_english_is_written_as_schools_teach_it(number, words):
    assert english(number) == words


@pytest.mark.parametrize("british", [True, False])
def test_what_is_written_is_read_again(british):
    assert [read_english(english(number, british)) for number in NUMBERS] == NUMBERS
    assert [read_french(french(number)) for number in NUMBERS] == NUMBERS


@pytest.mark.parametrize("read", [read_english, read_french])
@pytest.mark.parametrize("text", ["", "cat", "and", "et", "- -"])
def test_what_is_no_number_is_not_read(read, text):
    assert read(text) is None
