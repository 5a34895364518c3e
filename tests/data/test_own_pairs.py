import pytest

from seq2seq.data.own_pairs import (
    MOST_BYTES,
    as_lines,
    read_own_pairs,
    split_pairs,
    token_kind,
)
from seq2seq.data.parallel_corpus import Pair
from seq2seq.errors import UserError

GOOD = "".join(f"word {number}\tdrow {number}\n" for number in range(40))


def test_lines_are_pairs_and_are_written_back():
    pairs = read_own_pairs("\n" + GOOD + "  \n")
    assert pairs[3] == Pair("word 3", "drow 3")
    assert read_own_pairs(as_lines(pairs).encode()) == pairs


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (GOOD + "no tab here\n", "Line 41 has no tab"),
        (GOOD + "\tonly a target\n", "Line 41 has an empty source"),
        (GOOD + "only a source\t \n", "Line 41 has an empty target"),
        ("x" * 10_000 + "\ty\n" + GOOD, "Line 1 has 10,000 characters"),
        ("a\tb\n", "too few pairs, 1"),
        ("", "too few pairs, 0"),
        ("a\tb\n" * 50, "All pairs are the same"),
        (GOOD.encode() + b"\xff\xfe\ta\n", "Line 41 is not UTF-8 text"),
        (GOOD.encode() + b"\x00\ta\n", "Line 41 holds a byte"),
        (b"x" * (MOST_BYTES + 1), "give at most 10 MB"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_line(content, named):
    with pytest.raises(UserError, match=named) as caught:
        read_own_pairs(content)
    assert str(caught.value).count("\n") == 0


def test_too_many_pairs_are_refused():
    with pytest.raises(UserError, match="40 pairs: give at most 30"):
        read_own_pairs(GOOD, most=30)


def test_no_source_is_on_both_sides():
    pairs = [*read_own_pairs(GOOD), Pair("word 3", "another")]
    drawn = split_pairs(pairs, seed=2)
    assert drawn == split_pairs(pairs, seed=2)
    assert len(drawn.valid) == 4
    assert not {pair.source for pair in drawn.valid} & {pair.source for pair in drawn.train}
    with pytest.raises(UserError, match="All sources are the same"):
        split_pairs([Pair("a", str(number)) for number in range(20)], 0)


def test_long_texts_are_read_by_word():
    assert token_kind(read_own_pairs(GOOD)) == "character"
    assert token_kind([Pair("word " * 12, "drow " * 12)] * 20) == "word"
