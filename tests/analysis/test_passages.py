import numpy as np
import pytest

from seq2seq.analysis.passages import sentences
from tests.made_tokens import made_tokens


def tokens(text, *, after=("</s>",), before=()):
    """Split a text at its spaces, and points and commas off its words, as vocabularies do."""
    pieces = [*before]
    for word in text.split():
        pieces.append("▁" + word.rstrip(".,!?"))
        pieces += word[len(word.rstrip(".,!?")) :]
    pieces = [piece for piece in [*pieces, *after] if piece != "▁"]
    return made_tokens(pieces, text=text)


def split(text, **more):
    """Return the sentences as they are written."""
    made = tokens(text, **more)
    numbers = np.array(sentences(made))
    pieces = np.array(made.pieces)
    return [
        "".join(pieces[numbers == number]).replace("▁", " ").strip()
        for number in range(numbers.max() + 1)
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("The cat sleeps. The dog runs.", 2),
        ("Mr. Smith met Dr. Jones. They spoke.", 2),
        ("He lives in the U.S. Army barracks. It rains.", 2),
        ("J. R. Smith wrote it. Nobody read it.", 2),
        ("It weighs 3.5 kg. That is much.", 2),
        ("See No. 5 for more. No. It is not there.", 3),
        ("Where are you? I am here! Good.", 3),
        ("“Stop!” he said. She stopped.", 2),
        ("Well... that is all. Yes.", 2),
        ("how are you ? i am fine . and you ?", 3),
        ("1. Introduction to it. 2. The rest.", 2),
        ("Il dit : « Où est-il ? » Puis il part.", 2),
        ("no full stop at all", 1),
        ("... and then it ended.", 1),
        ("It is 23. She is 25.", 2),
        ("So do I. You do too.", 2),
        ("What?! No.", 2),
    ],
)
def test_full_stops_end_sentences_and_abbreviations_do_not(text, count):
    assert len(split(text)) == count


def test_each_sentence_is_what_was_written():
    assert split("Mr. Smith runs. It rains.", before=("<s>",)) == [
        "<s> Mr. Smith runs.",
        "It rains.</s>",
    ]


def test_languages_without_spaces():
    pieces = ("▁私", "は", "学生", "です", "。", "彼", "は", "先生", "です", "。", "</s>")
    assert sentences(made_tokens(pieces)) == (0,) * 5 + (1,) * 6


def test_single_letters_as_tokens():
    pieces = tuple(" Go. Stop now.".replace(" ", "▁"))
    assert sentences(made_tokens(pieces)) == (0,) * 4 + (0,) + (1,) * 9


def test_a_recording_is_one_sentence():
    pieces = tuple(f"{number * 0.04:.2f}" for number in range(30))
    assert set(sentences(made_tokens(pieces, text=""))) == {0}


def test_tokens_between_sentences_belong_to_the_one_before():
    pieces = ("<s>", "▁Hi.", "</s>", "<s>", "▁Yo.", "</s>")
    assert sentences(made_tokens(pieces)) == (0, 0, 0, 0, 1, 1)


@pytest.mark.parametrize("most", [1, 7, 20, 60])
def test_long_sentences_are_cut(most):
    text = " ".join(["one two three, four five six"] * 20) + ". It ends here."
    made = tokens(text)
    whole, cut = np.array(sentences(made)), np.array(sentences(made, at_most=most))
    assert set(np.diff(cut)) <= {0, 1}
    assert np.bincount(cut).max() <= most
    # No part crosses the end of a sentence, and there are no more parts than needed.
    assert all(len(set(whole[cut == number])) == 1 for number in set(cut))
    needed = sum(-(-count // most) for count in np.bincount(whole))
    assert cut.max() + 1 == needed


def test_a_long_sentence_is_cut_after_a_comma():
    text = "one two three four, five six seven eight nine ten."
    made = tokens(text, after=())
    cut = sentences(made, at_most=8)
    assert made.pieces[cut.index(1) - 1] == ","
