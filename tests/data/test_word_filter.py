import itertools

import pytest

from seq2seq.data.word_filter import BEGINNINGS, WHOLE, WordFilter, forbidden, rude, runs

INNOCENT = """
Scunthorpe assume class passion Dickens cocktail peacock analysis analog Essex Sussex sextet grape
drapes shiitake titan constitution therapist assassin bass grass hello document accumulate
circumstances Uranus basement cockpit nudge retire rapid mechanism
"""


@pytest.mark.parametrize("word", INNOCENT.split())
def test_words_that_only_hold_one_on_the_list_are_innocent(word):
    assert not forbidden(word)
    assert not rude(f"I said {word}, twice.")


@pytest.mark.parametrize("word", sorted(WHOLE))
def test_words_on_the_list_are_rude_in_any_case(word):
    for text in (word, word.upper(), f"You {word.title()}!", f"a-{word}-b", f'"{word}"'):
        assert rude(text)


@pytest.mark.parametrize("start", BEGINNINGS)
def test_all_words_with_such_a_beginning_are_rude(start):
    assert rude(start)
    assert rude(f"a {start}ing thing")


@pytest.mark.parametrize("text", ["Shut up!", "I hate you.", "you're so ugly", "You are a loser."])
def test_insults_of_harmless_words_are_rude(text):
    assert rude(text)


@pytest.mark.parametrize("text", ["", "He shut the door.", "I hate rain.", "Is it fat free?"])
def test_harmless_sentences_are_not(text):
    assert not rude(text)


# All words of up to three of these pieces can be written, in several ways each.
PIECES = (
    "▁",
    "▁id",
    "iot",
    "i",
    "ot",
    "▁as",
    "s",
    "ume",
    "▁ass",
    "▁the",
    ".",
    "'s",
    "▁Id",
    "-",
    "S",
)


def sentences(length):
    return itertools.product(range(len(PIECES)), repeat=length)


def text_of(tokens):
    return "".join(PIECES[token] for token in tokens).replace("▁", " ")


def test_no_word_on_the_list_is_ever_completed():
    word_filter, said = WordFilter(PIECES), set()
    for length in (1, 2, 3):
        for tokens in sentences(length):
            if any(tokens[at] in word_filter.completing(tokens[:at]) for at in range(length)):
                continue
            assert not any(map(forbidden, runs(text_of(tokens))))
            said.add(text_of(tokens))
    assert " assume" not in said  # only "ass" and "ume" would make it: a price of the rule
    assert {" the", " as", " id", " idi"} <= said


def test_after_an_innocent_word_only_whole_words_are_kept_back():
    word_filter = WordFilter(PIECES)
    whole = {PIECES.index("▁ass")}
    assert set(word_filter.completing([])) == whole
    assert set(word_filter.completing([PIECES.index("▁the")])) == whole
    assert set(word_filter.completing([PIECES.index("▁id")])) == {*whole, PIECES.index("iot")}
    assert set(word_filter.completing([PIECES.index("▁Id"), PIECES.index("i")])) == {
        *whole,
        PIECES.index("ot"),
    }
