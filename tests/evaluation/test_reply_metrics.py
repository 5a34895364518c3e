import pytest

from seq2seq.evaluation.reply_metrics import distinct, dull, repetitive, reply_scores


def test_distinct_is_the_share_of_different_ngrams():
    assert distinct(["a b a b"], 1) == 2 / 4
    assert distinct(["a b a b"], 2) == 2 / 3
    assert distinct(["A b.", "a b!"], 2) == 1 / 2
    assert distinct(["a", ""], 2) == 0


@pytest.mark.parametrize(
    "reply",
    [
        "I don't know.",
        "I really don't know about that one.",
        "Well, I'm not sure.",
        "Me too!",
        "That's so cool.",
        "Yes, I do.",
        "Haha, I agree.",
        "Okay.",
        "...",
    ],
)
def test_replies_that_say_nothing_are_dull(reply):
    assert dull(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "I don't know. I like the red one.",
        "That's cool, I play chess too.",
        "Yes, I do it on Sundays.",
        "What is your name?",
        "Oh cool, what album?",
        "Well, no one else saw it.",
        "I'm not sure yet. I might read a book.",
        "I am not sure he can swim that far.",
    ],
)
def test_replies_that_say_something_are_not(reply):
    assert not dull(reply)


def test_repetition_is_found():
    assert repetitive("I like the the film.")
    assert repetitive("I like it a lot, I like it.")
    assert not repetitive("I like it and you like it.")


def test_scores_are_shares_of_the_replies():
    scores = reply_scores(["I don't know.", "I don't know.", "We swim.", "No no no."])
    assert scores["different"] == 75
    assert scores["dull"] == 75
    assert scores["repetitive"] == 25
    assert scores["words"] == 11 / 4
