import random

import pytest

from seq2seq.data.parallel_corpus import Pair
from seq2seq.data.reply_cleaning import casual, fit_to_learn, related, tidy


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Fine, thanks.", "Fine, thanks."),
        ("i think i'm late. you?", "I think I'm late. You?"),
        ("no way  !  really ?", "No way! Really?"),
        ("so cool!!!! wow??", "So cool! Wow?"),
        ("well..... ok.. fine", "Well... ok... fine."),
        ("hahahahaha yes", "Haha yes."),
        ("I dont know, thats odd", "I don't know, that's odd."),
        ("Whats your name", "What's your name?"),
        ("what a day", "What a day."),
        ("I like it,", "I like it."),
        ("yes,it is", "Yes, it is."),
        ("see you at 10.30", "See you at 10.30."),
        ("We won 3,000 dollars", "We won 3,000 dollars."),
        ('he said "no"', 'He said "no"'),
        ("I saw it. how was it", "I saw it. How was it?"),
        ("iPods and idiots", "IPods and idiots."),
    ],
)
def test_replies_are_tidied(typed, written):
    assert tidy(typed) == written


@pytest.mark.parametrize("typed", ["", "...", "é", "OK", "Dr. Who?", "¡hola!", "i", ":)", "a b  c"])
def test_tidying_twice_changes_nothing_more(typed):
    assert tidy(tidy(typed)) == tidy(typed)


def test_rude_and_spoilt_replies_are_left_out():
    good = [Pair("Hi.", "hello there"), Pair("You?", "haha, me too.")]
    bad = ["you idiot", "Shut up!", "hahaha", "look at http://x.org", "I'm [name].", "f*** it"]
    bad += ["I'm (user 2's name)."]
    found = fit_to_learn([*good, *(Pair("Hi.", text) for text in bad)])
    assert found == [Pair("Hi.", "Hello there."), Pair("You?", "Haha, me too.")]


def test_a_source_is_written_in_haste():
    draw = random.Random(0)
    kinds = {casual("Who are You?", draw) for _ in range(50)}
    assert kinds == {"Who are You", "who are you?", "who are you"}
    assert {casual("?!", draw) for _ in range(20)} == {"?!"}


def test_a_reply_is_related_by_a_word_that_says_something():
    assert related("I went fishing.", "What kind of fish did you catch? I love fishing!")
    assert related("My teachers are strict.", "A teacher can be like that.")
    assert not related("I think that movie was good.", "I think that song was good.")
    assert not related("", "Hello there.")
