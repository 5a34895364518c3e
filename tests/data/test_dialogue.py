import pytest

from seq2seq.data.dialogue import source_of, turns_of

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
