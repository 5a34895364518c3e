import pytest

from seq2seq.data.typography import (
    LOWER,
    SENTENCE,
    as_trained,
    is_shouted,
    plain_letters,
    plain_punctuation,
    sentence_case,
)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("I don’t know.", "I don't know."),
        ("He said “hello” – and left…", 'He said "hello" - and left...'),
        ("One thing—the other", "One thing - the other"),
        ("pages 3–5", "pages 3-5"),
        ("a non‑breaking hyphen", "a non-breaking hyphen"),
        ("« Bonjour », l'été", "« Bonjour », l'été"),
    ],
)
def test_punctuation_becomes_that_of_a_typewriter(typed, plain):
    assert plain_punctuation(typed) == plain
    assert plain_punctuation(plain) == plain


@pytest.mark.parametrize(
    ("text", "shouted"),
    [
        ("WHERE IS IT?", True),
        ("HELLO", True),
        ("I AM", True),
        ("NATO", False),
        ("I", False),
        ("The NATO summit", False),
        ("12 345", False),
        ("", False),
        ("猫 犬", False),
    ],
)
def test_shouting_is_told_from_an_abbreviation(text, shouted):
    assert is_shouted(text) == shouted


def test_a_shouted_text_is_written_in_sentences():
    text = 'WHERE AM I? "I DON\'T KNOW!" SAID SHE.'
    assert sentence_case(text) == 'Where am I? "I don\'t know!" Said she.'


@pytest.mark.parametrize(
    ("typed", "case", "read", "notes"),
    [
        ("I don't know.", SENTENCE, "I don't know.", 0),
        ("I don’t know.", SENTENCE, "I don't know.", 1),
        ("I DON’T KNOW.", SENTENCE, "I don't know.", 2),
        ("The NATO summit", SENTENCE, "The NATO summit", 0),
        ("London", LOWER, "london", 1),
        ("london", LOWER, "london", 0),
        ("WHERE IS IT?", "", "WHERE IS IT?", 0),
    ],
)
def test_what_is_changed_is_said(typed, case, read, notes):
    found = as_trained(typed, punctuation=True, case=case)
    assert found.text == read
    assert len(found.notes) == notes
    assert as_trained(typed, punctuation=False, case="") == (typed, ())


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("café", "cafe"),
        ("cafe\u0301", "cafe"),
        ("naïve Łódź", "naive Lodz"),
        ("smørrebrød, œuvre, Straße", "smorrebrod, oeuvre, Strasse"),
        ("don't", "don't"),
        ("猫", "猫"),
    ],
)
def test_letters_lose_their_accents(typed, plain):
    assert plain_letters(typed) == plain
    assert plain_letters(plain) == plain


def test_a_word_is_read_in_the_letters_that_the_model_knows():
    read = as_trained("Renée’s", True, LOWER, letters=True)
    assert read.text == "renee's"
    assert len(read.notes) == 3
    assert as_trained("renee's", True, LOWER, letters=True) == ("renee's", ())
    assert as_trained("Renée", False, "").text == "Renée"
