import random

import pytest

from seq2seq.analysis.copied_fragments import Fragment, fragments, overlap, text_words
from seq2seq.analysis.passages import part_numbers
from seq2seq.decoding.options import Options
from seq2seq.inference.inputs import clean
from seq2seq.inference.pipeline import run

TEXT = """The old dog sleeps in the garden. My sister reads a good book.

The children play near the river; it is raining in the city."""


def test_a_copy_is_one_fragment():
    found = overlap(TEXT, TEXT)
    assert len(found.fragments) == 1
    assert found.coverage == 1
    assert found.density == len(found.summary)
    assert found.novel_pairs == 0


def test_nothing_shared_is_nothing():
    found = overlap(TEXT, "Quite another thing")
    assert found.fragments == ()
    assert (found.coverage, found.density, found.novel_pairs) == (0, 0, 1)


def test_an_example_by_hand():
    # Two fragments of two words, one new word: (2 + 2) / 5 and (4 + 4) / 5.
    found = overlap("a b c d e", "a b x d e")
    assert found.fragments == (Fragment(0, 0, 2), Fragment(3, 3, 2))
    assert found.coverage == pytest.approx(0.8)
    assert found.density == pytest.approx(1.6)
    assert found.novel_pairs == pytest.approx(0.5)


def test_capitals_punctuation_and_apostrophes_do_not_count():
    found = overlap("It's THE old-fashioned way, “really”.", "it’s the old-fashioned way really")
    assert found.coverage == 1
    assert len(found.fragments) == 1


def test_the_longest_is_taken_and_of_equals_the_next():
    assert fragments(list("ababc"), list("abc")) == [Fragment(2, 0, 3)]
    assert fragments(list("tXty"), list("Xt")) == [Fragment(1, 0, 2)]
    assert fragments(list("tXytz"), list("Xt")) == [
        Fragment(1, 0, 1),
        Fragment(3, 1, 1),
    ]


def test_fragments_are_shared_never_overlap_and_cover_every_known_word():
    chance = random.Random(0)
    for _ in range(200):
        source = [chance.choice("abcdef") for _ in range(chance.randrange(30))]
        summary = [chance.choice("abcdefgh") for _ in range(chance.randrange(20))]
        covered = []
        for start, place, length in fragments(source, summary):
            assert source[start : start + length] == summary[place : place + length]
            covered += range(place, place + length)
        assert covered == [i for i, word in enumerate(summary) if word in source]


@pytest.mark.parametrize("summary", ["", "   ", "...", "🙂"])
def test_no_words_at_all(summary):
    assert overlap(TEXT, summary).coverage == 0
    assert overlap(summary, TEXT).coverage == 0


def test_every_word_that_was_read_is_found_in_its_text(checkpoint):
    trace = run(checkpoint, TEXT, Options(max_length=3, beam_width=1))
    places = part_numbers(trace.source, trace.read.spans, text_words(TEXT))
    assert places[-1] is None
    assert list(dict.fromkeys(places[:-1])) == list(range(len(text_words(TEXT))))
    for (start, end), number in zip(text_words(TEXT), range(99), strict=False):
        pieces = [
            p for p, place in zip(trace.source.pieces, places, strict=True) if place == number
        ]
        assert "".join(pieces).strip("▁") == TEXT[start:end]


def test_an_instruction_in_front_and_a_text_that_goes_on(checkpoint):
    options = Options(max_length=3, beam_width=1, instruction="sum up:")
    trace = run(checkpoint, TEXT, options)
    assert trace.source.text == f"sum up: {clean(TEXT)}"
    assert trace.read.text == TEXT
    places = part_numbers(trace.source, trace.read.spans, text_words(TEXT + " More of it."))
    kept = [place for place in places if place is not None]
    assert places[0] is None
    assert list(dict.fromkeys(kept)) == list(range(len(text_words(TEXT))))
