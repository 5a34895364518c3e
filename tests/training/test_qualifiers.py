import random

import pytest

from seq2seq.data.parallel_corpus import Pair
from seq2seq.training.qualifiers import is_qualifier, kept_places, qualified, restored


@pytest.mark.parametrize(
    ("source", "target", "wanted"),
    [
        (
            "a man allegedly shot a dog, police said.",
            "a man shot a dog.",
            "a man allegedly shot a dog.",
        ),
        ("he did not go home today.", "he did go home.", "he did not go home."),
        ("he isn't at home, she says.", "he isn't at home.", "he isn't at home."),
        ("the cat, which may sleep, sat.", "the cat sat.", "the cat sat."),
        ("he may go and she may stay.", "she stay.", "she may stay."),
        ("a feline may nap.", "the cat naps.", "the cat naps."),
    ],
)
def test_a_qualifier_is_put_back_before_a_word_that_is_kept(source, target, wanted):
    assert restored(Pair(source, target)) == Pair(source, wanted)


def test_words_are_found_in_order_as_near_to_the_next_as_can_be():
    source = ["a", "man", "and", "a", "dog", "met", "a", "cat."]
    assert kept_places(source, ["a", "cat."]) == [6, 7]
    assert kept_places(source, ["a", "man", "met", "a", "cat."]) == [0, 1, 5, 6, 7]
    assert kept_places(source, ["a", "cat", "met"]) is None


def test_a_further_qualifier_stands_on_both_sides():
    pair = Pair("the firm, it said, will open a shop today.", "the firm will open a shop.")
    seen = set()
    for seed in range(40):
        source, target = qualified(pair, random.Random(seed))
        added = [word for word in target.split() if is_qualifier(word)]
        assert len(added) == 1
        assert added == [word for word in source.split() if is_qualifier(word)]
        assert kept_places(source.split(), target.split()) is not None
        seen |= set(added)
    assert {"not", "may"} <= seen


@pytest.mark.parametrize(
    "pair",
    [
        Pair("the cat has a dog.", "the cat has a dog."),
        Pair("the cat will not go.", "the cat will not go."),
        Pair("the cat naps.", "a feline will sleep well."),
    ],
)
def test_where_there_is_no_room_nothing_is_added(pair):
    assert qualified(pair, random.Random(0)) == pair
