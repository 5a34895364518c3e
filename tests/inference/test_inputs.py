import pytest

from seq2seq.decoding.options import MAX_CHARACTERS, Options
from seq2seq.errors import UserError
from seq2seq.inference.generation import generate
from seq2seq.inference.inputs import MAX_TOKENS, clean, prepare
from seq2seq.inference.pipeline import run

SHORT = Options(max_length=6)
NOTHING = ["", " ", "\n\t ", "\x00\x07\x1b", "\u00a0\u2003", "\ufeff", "\ud800", "▁"]
STRANGE = {
    "emoji": "😀",
    "emoji of several": "👩‍👩‍👧‍👦🏳️‍🌈",
    "right to left": "القطة تنام على الكرسي",
    "mixed directions": "cat \u202eקט\u202c dog",
    "combining": "e\u0301" + "\u0308" * 40,
    "script": "<script>alert('x')</script>",
    "entities": '&lt;b&gt; & "quotes"',
    "zero width": "a\u200bb\u200d\u2060c",
    "special tokens": "<s> <pad> </s> <unk>",
    "full width": "Ｔｈｅ ｃａｔ",
    "one letter": "a",
    "digits": "1234567890",
    "a format": "%s {0} \\n $HOME",
}


# --- clean


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat.", "The cat."),
        ("  The \t cat.\n", "The cat."),
        ("The\x00cat\x1b.", "The cat ."),
        ("a\r\nb\x85c\u2028d", "a b c d"),
        ("a\u00a0\u3000b", "a b"),
        ("a\ud800b", "ab"),
        ("a\ue000b\uffffc", "abc"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("😀 عربي", "😀 عربي"),
        ("", ""),
    ],
)
def test_clean(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize("text", [*STRANGE.values(), *NOTHING])
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


# --- prepare


@pytest.mark.parametrize("text", NOTHING, ids=ascii)
def test_nothing_to_read_is_a_users_mistake(checkpoint, text):
    with pytest.raises(UserError, match="type a sentence"):
        prepare(checkpoint, text)
    with pytest.raises(UserError, match="type a sentence"):
        run(checkpoint, text, SHORT)
    with pytest.raises(UserError, match="type a sentence"):
        generate(checkpoint, ["The cat.", text], SHORT)


def test_a_plain_text_is_read_as_it_is(checkpoint):
    source = prepare(checkpoint, "The cat sleeps.")
    assert source.text == "The cat sleeps."
    assert source.notes == ()
    assert source.ids == [*checkpoint.tokenizer.encode("The cat sleeps."), 3]
    assert source.tokens.pieces == (*checkpoint.tokenizer.split("The cat sleeps.").pieces, "</s>")


def test_too_many_characters_are_cut_with_a_note(checkpoint):
    source = prepare(checkpoint, "x" * 10_000)
    assert source.notes[0] == f"Only the first {MAX_CHARACTERS:,} of 10,000 characters were read."
    assert len(source.text) <= MAX_CHARACTERS
    assert prepare(checkpoint, "x " * (MAX_CHARACTERS // 2)).notes != source.notes


@pytest.mark.parametrize("text", ["cat" + " " * 5_000 + "dog", "猫" * 10_000])
def test_nothing_beyond_the_cap_is_read(checkpoint, text):
    assert prepare(checkpoint, text).text == clean(text[:MAX_CHARACTERS])


def test_too_many_tokens_are_cut_with_a_note(checkpoint):
    text = "cat dog " * 400
    count = len(checkpoint.tokenizer.encode(text))
    assert count > MAX_TOKENS
    source = prepare(checkpoint, text)
    assert source.notes == (f"Only the first {MAX_TOKENS} of {count} tokens were read.",)
    assert len(source.ids) == len(source.tokens.pieces) == MAX_TOKENS + 1
    assert source.ids[-1] == checkpoint.model.config.eos
    assert source.text == checkpoint.tokenizer.decode(source.ids)
    assert text.startswith(source.text)


def test_a_text_at_the_caps_is_not_cut(checkpoint):
    pieces = 1
    while len(checkpoint.tokenizer.encode("a " * (pieces + 1))) <= MAX_TOKENS:
        pieces += 1
    assert prepare(checkpoint, "a " * pieces).notes == ()
    assert prepare(checkpoint, "a " * (pieces + 1)).notes != ()


def test_unknown_characters_are_named_once(checkpoint):
    source = prepare(checkpoint, "The 猫 and the 猫 and the 犬.")
    assert source.notes == ("This model has never seen these characters: 猫 犬",)
    assert "猫" in source.tokens.pieces
    assert source.ids.count(checkpoint.model.config.unknown) == 3


def test_a_note_stays_short(checkpoint):
    text = " ".join(chr(0x4E00 + number) for number in range(150))
    assert all(len(note) < 150 for note in prepare(checkpoint, text).notes)


# --- run
