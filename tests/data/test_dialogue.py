import pytest

from seq2seq.data.dialogue import source_of, turns_of, with_earlier_turns

TURNS = ["Hi!", "Hello, how are you?", "Fine."]


def test_turns_are_joined_in_order_and_split_again():
    assert source_of(TURNS, "¶") == "Hi!¶ Hello, how are you?¶ Fine."
    assert turns_of(source_of(TURNS, "¶"), "¶") == TURNS


@pytest.mark.parametrize(
    "turns", [["", "Hi!", " ", "Hello, how are you?", "Fine.", ""], [f"  {t}\n" for t in TURNS]]
)
def test_empty_turns_and_white_space_are_left_out(turns):
    assert source_of(turns, "¶") == source_of(TURNS, "¶")


@pytest.mark.parametrize("typed", ["a¶b", "¶ a b", "a b¶", "a ¶¶ b", "¶"])
def test_a_separator_that_is_typed_makes_no_turn(typed):
    source = source_of([typed, "Fine."], "¶")
    assert len(turns_of(source, "¶")) == (1 if typed == "¶" else 2)
    assert source.endswith("Fine.")


def test_a_model_that_knows_no_turns_reads_the_last_one():
    assert source_of(TURNS, "") == "Fine."
    assert source_of([*TURNS, " "], "") == "Fine."
    assert source_of([], "") == source_of([""], "¶") == ""
    assert turns_of("a¶ b", "") == ["a¶ b"]


def test_earlier_turns_are_those_of_the_one_row_that_ends_with_the_first_ones():
    rows = [("a¶ b", "c"), ("b¶ c", "d"), ("c¶ d", "e"), ("d", "e")]
    assert with_earlier_turns(rows, "¶", 1, 9) == ["a¶ b", "a¶ b¶ c", "b¶ c¶ d", "d"]
    assert with_earlier_turns(rows, "¶", 2, 9)[2] == "a¶ b¶ c¶ d"
    assert with_earlier_turns(rows, "¶", 2, 3)[2] == "b¶ c¶ d"
    doubtful = [*rows, ("z¶ b", "c")]
    assert with_earlier_turns(doubtful, "¶", 2, 9)[1] == "b¶ c"
