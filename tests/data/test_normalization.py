import itertools
import random

import pytest

from seq2seq.data.normalization import NUMBER, align, fold, unfold, words

SOURCE = (
    "The 25-year-old Kelly Osbourne, of London, was jailed on Friday for 1,600 days after she "
    "stole $3.5 million from McDonald’s, said Judge O'Neil. The BBC has 300 reporters."
)


def test_folding_makes_letters_small_and_numbers_alike():
    assert fold("On 3.5.2011, 1,600 MEN – “all” – won 4:2") == 'on ##, ## men - "all" - won ##'


@pytest.mark.parametrize("text", ["", "é Ü 10", SOURCE, "## 2 #3", "İstanbul"])
def test_folding_twice_changes_nothing_more(text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("folded", "written"),
    [
        ("kelly osbourne was jailed for ## days.", "Kelly Osbourne was jailed for 1,600 days."),
        ("the ##-year-old was jailed.", "The 25-year-old was jailed."),
        ("she stole $## million.", "She stole $3.5 million."),
        ("she stole from mcdonald's.", "She stole from McDonald’s."),
        ("kelly osbourne, said the bbc.", "Kelly Osbourne, said the BBC."),
        ("the bbc has ## reporters. london", "The BBC has 300 reporters. London"),
        ("## ## ## ## reporters", "25 1,600 3.5 300 reporters"),
        ("## ## ## ## ## reporters.", "25 1,600 3.5 300 reporters."),
        ("nobody knows o'neil", "Nobody knows O'Neil"),
        ("", ""),
    ],
)
def test_an_output_is_written_as_its_source(folded, written):
    assert unfold(folded, SOURCE) == written


def test_an_abbreviation_ends_no_sentence():
    text = "Apple Inc. announced that Dr. Lee of the U.S. office will leave. The post is open."
    folded = "apple inc. announced dr. lee will leave. the post is open."
    assert unfold(folded, text) == "Apple Inc. announced Dr. Lee will leave. The post is open."


def test_no_sign_of_folding_is_left():
    draw = random.Random(0)
    said = [word.folded for word in words(SOURCE)] + [NUMBER, "$##", "##%", "#", "dogs", "."]
    for _ in range(200):
        output = " ".join(draw.choices(said, k=draw.randint(0, 12)))
        assert "#" not in unfold(output, draw.choice([SOURCE, "No number here.", ""]))


def test_what_is_copied_whole_is_what_was_written():
    for text in (SOURCE, "It rains.", "NASA sent 2 men. They came back on 3 May."):
        assert unfold(fold(text), text) == text.replace("–", "-")


def longest(first, second):
    """Count the longest common subsequence by trying all."""
    for size in range(min(len(first), len(second)), 0, -1):
        some = set(itertools.combinations(first, size))
        if some & set(itertools.combinations(second, size)):
            return size
    return 0


def test_an_alignment_is_in_order_and_matches_the_most_words():
    draw = random.Random(1)
    for _ in range(150):
        first = draw.choices("abc", k=draw.randint(0, 6))
        second = draw.choices("abcd", k=draw.randint(0, 7))
        places = align(first, second)
        found = [place for place in places if place is not None]
        assert found == sorted(set(found))
        assert all(at is None or second[at] == word for word, at in zip(first, places, strict=True))
        assert len(found) == longest(first, second)


def test_an_alignment_prefers_words_that_stand_together():
    assert align(["the", "cat"], ["the", "dog", "and", "the", "cat"]) == [3, 4]
    assert align(["the", "dog"], ["the", "dog", "and", "the", "cat"]) == [0, 1]


def test_first_words_of_sentences_are_known():
    assert [word.folded for word in words("He came. Then he 'left'! All 3") if word.first] == [
        "he",
        "then",
        "all",
    ]
