import random

from seq2seq.data.parallel_corpus import Pair
from seq2seq.training.unheard_words import COMMON, rare_words, with_unheard_word

RARE = ["courgette", "pierogi", "spaniel", "accordion", "tortoise"]


def replaced(source, target, seed=0):
    return with_unheard_word(Pair(source, target), RARE, set(RARE), random.Random(seed))


def test_rare_words_are_those_behind_the_common_ones():
    common = [f"w{'abcdefghij'[n % 10]}{'x' * (n // 10)}" for n in range(COMMON)]
    assert rare_words([" ".join(2 * common), "Pierogi are pierogi, a spaniel is"]) == [
        "pierogi",
        "spaniel",
    ]


def test_a_shared_word_is_replaced_on_both_sides_by_the_same_new_one():
    for seed in range(50):
        pair = replaced("The spaniel ate. Our spaniel!", "Oh no, the spaniel ate!", seed)
        new = pair.target.split()[3]
        assert new.isalpha()
        assert new not in RARE
        assert pair == (f"The {new} ate. Our {new}!", f"Oh no, the {new} ate!")


def test_the_letters_case_and_the_ending_are_those_of_the_word():
    known = {"hobart", "courgettes"}
    for seed in range(50):
        draw = random.Random(seed)
        name = with_unheard_word(Pair("I'm in Hobart.", "Hobart!"), RARE, known, draw).target
        assert name[0].isupper()
        assert name[1:-1].islower()
        loud = with_unheard_word(Pair("OUR COURGETTES", "COURGETTES!"), RARE, known, draw).target
        assert loud.isupper()
        assert loud.endswith("ES!")
        many = with_unheard_word(Pair("nine courgettes", "Bake courgettes."), RARE, known, draw)
        assert many.target.endswith("es.")


def test_what_is_common_or_on_one_side_or_in_other_letters_stays():
    for source, target in (
        ("I like the sea.", "The sea is blue."),
        ("My spaniel is old.", "How old is he?"),
        ("my Spaniel is old", "Your spaniel!"),
        ("The spaniel's bed.", "A spaniel-sized bed!"),
    ):
        assert replaced(source, target) == (source, target)
