import json

import pytest

from seq2seq.decoding.options import MAX_SEED, Options
from seq2seq.inference.conversation import (
    LINK_CHARACTERS,
    LINK_TURNS,
    Reply,
    Turn,
    counted,
    differing,
    drawn,
    edited,
    from_link,
    in_reach,
    is_due,
    replies,
    to_link,
    toggled,
    transcript,
    transcript_json,
    undone,
)

OPTIONS = Options(beam_width=3)
TURNS = (
    Turn("Hello, 1.5 times!"),
    Turn("Hi. How are you?", Reply("a-model", OPTIONS, (0,), 3)),
    Turn("🙂 <b>fine</b> & m.well", muted=True),
    Turn("Good", Reply("a-model", drawn(OPTIONS, 7), (0, 2), 3)),
    Turn("And\nyou?"),
    Turn("", Reply("a-model", OPTIONS, (3, 4), 4, stopped=True), muted=True),
)


def test_a_reply_reads_what_is_in_reach_and_not_muted():
    assert in_reach(TURNS, 3, 3) == (0, 1)
    assert in_reach(TURNS, 3, 1) == ()
    assert in_reach(TURNS, 5, 8) == (0, 1, 3, 4)
    assert in_reach(TURNS, 6, 2) == (4,)
    assert in_reach(toggled(TURNS, 2), 3, 2) == (1, 2)


def test_what_a_visitor_changes():
    assert is_due(TURNS[:1])
    assert not is_due(TURNS)
    assert not is_due(())
    assert replies(TURNS) == [1, 3, 5]
    assert toggled(toggled(TURNS, 4), 4) == TURNS
    assert undone(TURNS) == TURNS[:4]
    assert undone(TURNS[:3]) == TURNS[:2]
    assert undone(()) == ()
    changed = edited(TURNS, 2, "Something else")
    assert [turn.text for turn in changed] == [TURNS[0].text, TURNS[1].text, "Something else"]
    assert is_due(changed)


def test_a_link_restores_a_conversation():
    items = to_link(TURNS)
    assert from_link(items, "a-model", OPTIONS) == TURNS
    assert to_link(from_link(items, "a-model", OPTIONS)) == items


@pytest.mark.parametrize("seed", [9, MAX_SEED])
def test_a_reply_keeps_its_seed_in_a_link_where_all_are_drawn(seed):
    options = Options(method="sample", beam_width=4, temperature=0.5, seed=3)
    turns = (Turn("Hello"), Turn("Hi", Reply("a-model", drawn(options, seed), (0,), 1)))
    assert from_link(to_link(turns), "a-model", options) == turns


@pytest.mark.parametrize(
    "items",
    [
        ["nonsense"],
        [""],
        ["."],
        ["m.   "],
        ["1.a reply that answers nothing"],
        ["2.x"],
        ["0.x"],
        ["111111111.x"],
        [".Hello", "1.Hi", "1.Hi again"],
        [".Hello", "10.it cannot have read what was not there"],
        [".Hello", "0.it has read nothing"],
        [".Hello", "1-99999999999.no such seed"],
        [".Hello", f"1-{MAX_SEED + 1}.no such seed"],
        [".Hello", "1-x.y"],
    ],
)
def test_nonsense_in_a_link_ends_the_conversation_before_it(items):
    turns = from_link(items, "a-model", OPTIONS)
    assert len(turns) < len(items)
    assert to_link(turns) == items[: len(turns)]


def test_a_conversation_may_be_too_long_for_a_link():
    assert to_link(LINK_TURNS * (Turn("Hello"),)) is not None
    assert to_link((LINK_TURNS + 1) * (Turn("Hello"),)) is None
    assert to_link((Turn((LINK_CHARACTERS + 1) * "x"),)) is None
    assert to_link(LINK_TURNS * (Turn(LINK_CHARACTERS * "語"),)) is None
    many = from_link(100 * [".Hello"], "a-model", OPTIONS)
    assert len(many) == LINK_TURNS
    assert len(from_link(["." + 999 * "x"], "a-model", OPTIONS)[0].text) == LINK_CHARACTERS


@pytest.mark.parametrize(
    ("before", "after"),
    [("I am fine .", "I am very fine !"), ("a b c", "a b c"), ("", "new words"), ("a a b", "b a")],
)
def test_differing_words_are_marked(before, after):
    parts = differing(before, after)
    for text, side in zip((before, after), parts, strict=True):
        assert " ".join(part for part, _ in side) == text
    kept = [" ".join(part for part, differs in side if not differs) for side in parts]
    assert kept[0] == kept[1]
    assert any(differs for side in parts for _, differs in side) == (before != after)


def test_a_drawn_reply_leaves_out_the_improbable_unless_the_visitor_draws():
    assert drawn(OPTIONS, 5) == Options(method="sample", beam_width=1, top_p=0.9, seed=5)
    own = Options(method="sample", beam_width=4, temperature=1.5)
    assert drawn(own, 5) == Options(method="sample", beam_width=4, temperature=1.5, seed=5)


def test_the_transcripts_hold_all_that_was_said():
    text = transcript(TURNS)
    for turn in TURNS:
        assert turn.text in text
    assert "4. a-model (seed 7): Good\n" in text
    assert "6. a-model (muted, stopped): \n" in text
    read = json.loads(transcript_json(TURNS))["turns"]
    assert [turn["text"] for turn in read] == [turn.text for turn in TURNS]
    assert [turn["speaker"] for turn in read] == 3 * ["visitor", "model"]
    assert read[3]["read"] == [1, 3]
    assert read[3]["options"]["seed"] == 7
    assert Options(**read[1]["options"] | {"prefix_tokens": (), "previous_tokens": ()}) == OPTIONS


def test_turns_are_named_from_one():
    assert [counted(range(count)) for count in (1, 2, 3)] == [
        "turn 1",
        "turns 1 and 2",
        "turns 1, 2 and 3",
    ]
