import random
import re
from pathlib import Path

import pytest

from seq2seq.catalogue import CHECKPOINTS
from seq2seq.training.data_files import data_file
from seq2seq.training.recipe import read_recipe
from seq2seq.training.small_talk import SLOT, exchanges, fitting, patterns, written_talks


def words(text):
    return tuple(re.findall(r"\w+", text.lower()))


def test_every_message_has_a_reply_that_fits_and_every_slot_words():
    slots, talks = patterns()
    for messages, replies in talks:
        assert all(fitting(message, messages, replies) for message in messages)
        for text in (*messages, *replies):
            assert {name for name, _ in SLOT.findall(text)} <= set(slots)


def test_a_reply_takes_up_the_words_of_its_message():
    made = exchanges(patterns().talks, 12_000, "|", random.Random(1))
    animals = set(patterns().slots["animal"])
    told = r"I (?:am scared of|am afraid of|hate|don't like|like|love) (\w+)[.]"
    found = ((re.fullmatch(told, pair.source), pair.target.lower()) for pair in made)
    named = [(said[1], reply) for said, reply in found if said and said[1] in animals]
    for animal, reply in named:
        assert not any(other in reply.split() for other in animals - {animal})
    assert any(animal in reply for animal, reply in named)
    assert not any("{" in text for pair in made for text in pair)
    assert {pair.source.count("|") for pair in made} == {0, 2, 4}


def test_what_a_model_is_judged_by_is_never_made():
    prompts = read_recipe(CHECKPOINTS / "chatbot-en" / "recipe.toml").prompts
    judged = [text for texts in prompts.values() for text in texts]
    plain = {text.lower().strip(".!?") for text in judged}
    for talks in (patterns().talks, written_talks()):
        made = exchanges(talks, 20_000, "¶", random.Random(2), judged)
        assert not plain & {pair.source.lower().strip(".!?") for pair in made}


@pytest.mark.parametrize("talks", [patterns().talks, written_talks()])
def test_the_same_draw_makes_the_same(talks):
    first, again = (exchanges(talks, 50, "¶", random.Random(3)) for _ in range(2))
    assert first == again != exchanges(talks, 50, "¶", random.Random(4))


def test_what_was_written_has_whole_sentences_and_nothing_of_what_is_held_out():
    talks = written_talks()
    for messages, replies in talks:
        assert len(messages) > 1
        for text in (*messages, *replies):
            assert text == " ".join(text.split()) != ""
            assert "{" not in text
        assert all(reply[0].isupper() or reply[0].isdigit() for reply in replies)
        assert all(reply.endswith((".", "!", "?")) and len(reply) < 160 for reply in replies)
    [columns, *rows] = (
        data_file(Path(), "own/exchanges.valid.tsv").read_text(encoding="utf-8").splitlines()
    )
    assert columns.split("\t") == ["before", "context", "response"]
    held_out = {words(row.split("\t")[1]) for row in rows}
    assert len(held_out) > 100
    learnt = {words(message.split(" ¶ ")[-1]) for talk in talks for message in talk.messages}
    assert not held_out & learnt
