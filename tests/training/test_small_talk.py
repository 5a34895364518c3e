import random
import re

from seq2seq.catalogue import CHECKPOINTS
from seq2seq.training.recipe import read_recipe
from seq2seq.training.small_talk import SLOT, exchanges, fitting, patterns


def test_every_message_has_a_reply_that_fits_and_every_slot_words():
    slots, talks = patterns()
    for messages, replies in talks:
        assert all(fitting(message, messages, replies) for message in messages)
        for text in (*messages, *replies):
            assert {name for name, _ in SLOT.findall(text)} <= set(slots)


def test_a_reply_takes_up_the_words_of_its_message():
    made = exchanges(12_000, "|", random.Random(1))
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
    made = exchanges(20_000, "¶", random.Random(2), judged)
    assert not plain & {pair.source.lower().strip(".!?") for pair in made}


def test_the_same_draw_makes_the_same():
    first, again = (exchanges(50, "¶", random.Random(3)) for _ in range(2))
    assert first == again != exchanges(50, "¶", random.Random(4))
