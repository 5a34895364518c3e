import dataclasses

import numpy as np
import pytest

from seq2seq.errors import UserError
from seq2seq.options import Options
from seq2seq.pipeline import (
    MAX_CHARACTERS,
    MAX_TOKENS,
    clean,
    generate,
    prepare,
    run,
    to_text,
)

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
    assert source.pieces == (*checkpoint.tokenizer.split("The cat sleeps."), "</s>")


def test_too_many_characters_are_cut_with_a_note(checkpoint):
    source = prepare(checkpoint, "x" * 10_000)
    assert source.notes[0] == f"Only the first {MAX_CHARACTERS:,} of 10,000 characters were read."
    assert len(source.text) <= MAX_CHARACTERS
    assert prepare(checkpoint, "x " * (MAX_CHARACTERS // 2)).notes != source.notes


@pytest.mark.parametrize("text", ["cat" + " " * 5_000 + "dog", "猫" * 10_000])
def test_nothing_beyond_the_cap_is_read(checkpoint, text):
    assert prepare(checkpoint, text).text == clean(text[:MAX_CHARACTERS])


def test_too_many_tokens_are_cut_with_a_note(checkpoint):
    text = "cat dog " * 120
    count = len(checkpoint.tokenizer.encode(text))
    assert count > MAX_TOKENS
    source = prepare(checkpoint, text)
    assert source.notes == (f"Only the first {MAX_TOKENS} of {count} tokens were read.",)
    assert len(source.ids) == len(source.pieces) == MAX_TOKENS + 1
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
    assert "猫" in source.pieces
    assert source.ids.count(checkpoint.model.config.unknown) == 3


def test_a_note_stays_short(checkpoint):
    text = " ".join(chr(0x4E00 + number) for number in range(150))
    assert all(len(note) < 150 for note in prepare(checkpoint, text).notes)


# --- run


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_strange_texts_run(checkpoint, text):
    trace = run(checkpoint, text, SHORT)
    assert trace.source.text == clean(text)
    assert len(trace.target) > 0
    assert type(trace).from_json(trace.to_json()).source == trace.source


def test_control_characters_do_not_reach_the_record(checkpoint):
    trace = run(checkpoint, "The\x00 cat\x1b[31m sleeps\x07.", SHORT)
    assert trace.source.text.isprintable()
    assert all(piece.isprintable() for piece in trace.source.pieces)


def test_options_default(checkpoint):
    assert run(checkpoint, "a").options == Options()


def test_progress_and_stopping_reach_the_search(checkpoint):
    seen = []

    def stop(progress):
        seen.append(progress)
        return progress.step == 2

    trace = run(checkpoint, "The cat.", Options(max_length=9, min_length=9), on_step=stop)
    assert len(seen) == 2
    assert len(trace.target) == 2
    assert not trace.outputs[0].finished


@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
def test_the_same_run_twice_gives_the_same(checkpoint, method):
    options = Options(method=method, max_length=6)
    first, second = run(checkpoint, "The cat.", options), run(checkpoint, "The cat.", options)
    assert first.target == second.target
    assert first.outputs == second.outputs
    assert np.array_equal(first.log_probabilities, second.log_probabilities)


# --- what may be said


@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
def test_an_output_begins_with_the_prefix(checkpoint, method):
    options = Options(method=method, prefix="Le petit chat", max_length=12)
    trace = run(checkpoint, "The small cat.", options)
    prefix = checkpoint.tokenizer.encode("Le petit chat")
    for output in trace.outputs:
        assert output.pieces[: len(prefix)] == checkpoint.tokenizer.pieces(prefix)
    assert trace.text.startswith("Le petit chat")


def test_a_prefix_costs_what_the_model_thinks_of_it(checkpoint):
    forced = run(checkpoint, "The small cat.", Options(prefix="Le chat", max_length=8))
    again = run(checkpoint, "The small cat.", Options(prefix=forced.text, max_length=8))
    count = len(checkpoint.tokenizer.encode("Le chat"))
    assert (forced.log_probabilities[:count] < 0).all()
    np.testing.assert_allclose(
        forced.log_probabilities[:count], again.log_probabilities[:count], atol=1e-4
    )


@pytest.mark.parametrize("prefix", [" ", "\n", "\x00", "▁", "\u200b"])
def test_an_empty_prefix_is_none(checkpoint, prefix):
    plain = run(checkpoint, "The small cat.", SHORT)
    assert run(checkpoint, "The small cat.", dataclasses.replace(SHORT, prefix=prefix)).target == (
        plain.target
    )


def test_a_prefix_of_unknown_characters_is_a_users_mistake(checkpoint):
    with pytest.raises(UserError, match="never seen"):
        run(checkpoint, "The cat.", Options(prefix="猫"))


def test_a_prefix_longer_than_the_cap_is_cut(checkpoint):
    trace = run(checkpoint, "The cat.", Options(prefix="Le petit chat", max_length=3))
    assert list(trace.target.ids) == checkpoint.tokenizer.encode("Le petit chat")[:3]


@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
def test_special_tokens_are_never_written(checkpoint, method):
    for seed in range(5):
        options = Options(method=method, seed=seed, temperature=10.0, max_length=12)
        trace = run(checkpoint, "The cat.", options)
        for output in trace.outputs:
            assert not {"<pad>", "<unk>", "<s>"} & set(output.pieces)


@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
def test_an_output_has_its_minimum_length(checkpoint, method):
    options = Options(method=method, min_length=7, temperature=10.0, max_length=9)
    for output in run(checkpoint, "The cat.", options).outputs:
        assert len([piece for piece in output.pieces if piece != "</s>"]) >= 7


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_ngram_comes_twice(checkpoint, size):
    options = Options(no_repeat_ngram=size, max_length=25)
    for output in run(checkpoint, "The cat.", options).outputs:
        pieces = output.pieces
        grams = [pieces[i : i + size] for i in range(len(pieces) - size + 1)]
        assert len(set(grams)) == len(grams)


def test_a_prefix_may_repeat_itself(checkpoint):
    options = Options(prefix="chat chat chat", no_repeat_ngram=1, max_length=12)
    assert run(checkpoint, "The cat.", options).text.startswith("chat chat chat")


# --- generate


@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
@pytest.mark.parametrize("batch", [1, 4, 32])
def test_generate_equals_run(checkpoint, pairs, method, batch):
    options = Options(method=method, beam_width=2, max_length=5)
    texts = [*(pair.source for pair in pairs[:8]), "a", "The cat \x00 sleeps.", "cat " * 30]
    found = generate(checkpoint, texts, options, batch=batch)
    for text, each in zip(texts, found, strict=True):
        trace = run(checkpoint, text, options)
        assert to_text(checkpoint, each) == trace.text
        assert each.hypotheses[0].tokens == trace.target.ids
        assert each.hypotheses[0].score == pytest.approx(trace.outputs[0].score, abs=1e-4)


def test_generate_tells_how_many_are_done(checkpoint):
    done = []
    generate(checkpoint, ["a", "b", "c", "d", "e"], SHORT, batch=2, on_group=done.append)
    assert done == [2, 2, 1]


def test_generate_of_nothing_is_nothing(checkpoint):
    assert generate(checkpoint, [], SHORT) == []
