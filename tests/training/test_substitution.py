import random
import re

import pytest

from seq2seq.data.parallel_corpus import Pair
from seq2seq.training.bilingual_slots import SLOTS, filled
from seq2seq.training.elision import joined
from seq2seq.training.name_tables import held_out, names, patterns
from seq2seq.training.recipe import SubstitutionSettings, TypingSettings
from seq2seq.training.substitution import all_varied, replaced, shared
from seq2seq.training.typing_variants import typed

PAIR = Pair("Thomas is 25 years old.", "Thomas a 25 ans.")


def values(pair):
    return [sorted((span.kind, span.value) for span in side) for side in shared(pair)]


def test_names_and_numbers_change_alike_on_both_sides():
    seen = {replaced(PAIR, random.Random(seed)) for seed in range(50)}
    assert len(seen) > 40
    for pair in seen:
        en, fr = values(pair)
        assert en == fr
        assert re.fullmatch(r"\S+ is (\d+) years old\.", pair.source)[1] in pair.target
        assert re.match(r"\S+", pair.source)[0] == re.match(r"\S+", pair.target)[0]


def test_a_pair_without_either_stays_itself():
    pair = Pair("The cat sleeps.", "Le chat dort.")
    assert replaced(pair, random.Random(0)) is pair


@pytest.mark.parametrize("kind", ["he", "she", "surname", "city"])
def test_names_that_measure_are_never_drawn(kind):
    drawn = {name.en for name in names(kind)}
    assert drawn
    assert not drawn & {name.en for name in names(kind, held=True)}


@pytest.mark.parametrize("held", [True, False])
def test_every_slot_of_every_pattern_is_filled(held):
    draw = random.Random(1)
    assert patterns(held)
    for pattern in patterns(held):
        assert set(re.findall(r"\{[a-z_]+\d?\}", pattern.en)) == set(
            re.findall(r"\{[a-z_]+\d?\}", pattern.fr)
        )
        pair, _ = filled(pattern, draw, held)
        assert not re.search("[{}]", pair.source + pair.target)


def test_numbers_that_measure_are_never_drawn():
    draw = random.Random(2)
    for _ in range(2_000):
        words = SLOTS["year"](draw, False)
        assert not held_out(int(words.en))
        assert held_out(int(SLOTS["year"](draw, True).en))


@pytest.mark.parametrize(
    ("before", "value", "language", "whole"),
    [
        ("I met a ", "Anna", "en", "I met an Anna"),
        ("I met an ", "Thomas", "en", "I met a Thomas"),
        ("la sœur de ", "Anna", "fr", "la sœur d'Anna"),
        ("la sœur d'", "Thomas", "fr", "la sœur de Thomas"),
    ],
)
def test_the_word_before_follows_the_sound(before, value, language, whole):
    assert joined(before, value, language) == whole


def test_sources_are_typed_in_other_ways():
    draw, source = random.Random(3), 'He said "it\'s late".'
    assert typed(source, TypingSettings(lower=1), draw) == source.lower()
    assert typed(source, TypingSettings(capitals=1), draw) == source.upper()
    assert typed("Late.", TypingSettings(unended=1), draw) == "Late"
    assert typed(source, TypingSettings(quotes=1), draw) == "He said “it’s late”."
    assert typed(source, TypingSettings(), draw) == source


def test_without_settings_nothing_changes():
    nothing = SubstitutionSettings(), TypingSettings()
    (pair,) = all_varied([PAIR], *nothing, random.Random(4))
    assert pair is PAIR
