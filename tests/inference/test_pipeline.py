import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from seq2seq.catalogue import read_card
from seq2seq.checkpoint import Checkpoint, own_generation_config
from seq2seq.data.normalization import unfold
from seq2seq.data.tokenizer import Unigram
from seq2seq.data.word_filter import forbidden, runs
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.generated import to_text
from seq2seq.inference.generation import generate
from seq2seq.inference.inputs import clean, prepare
from seq2seq.inference.pipeline import run
from seq2seq.models.config import TransformerConfig
from seq2seq.models.seq2seq import build
from seq2seq.trace import Trace
from tests.inference.test_inputs import STRANGE
from tests.spans import assert_cover

SHORT = Options(max_length=6)


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
@pytest.mark.parametrize("batch", [4, 32])
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


# --- what a card says of a model of ours


def known_by(checkpoint, **fields):
    """Return a checkpoint as if its card had these fields."""
    card = replace(checkpoint.card, **fields)
    generation_config = own_generation_config(checkpoint.model.config, card, checkpoint.tokenizer)
    return replace(checkpoint, card=card, generation_config=generation_config)


def test_a_run_is_searched_as_the_card_says(checkpoint):
    options = Options(method="sample", beam_width=2, seed=3, max_length=6)
    chosen = known_by(checkpoint, decoding=options)
    assert run(chosen, "The cat sleeps.").options == options
    assert (
        run(chosen, "The cat sleeps.").target == run(checkpoint, "The cat sleeps.", options).target
    )


def test_a_mannered_model_writes_no_word_on_the_list(checkpoint, monkeypatch):
    said = run(checkpoint, "The cat sleeps.", SHORT).target.pieces
    words = runs("".join(said).replace("▁", " "))
    monkeypatch.setattr("seq2seq.data.word_filter.WHOLE", frozenset(word.lower() for word in words))
    filtered = known_by(checkpoint, word_filter=True)
    for method in ("beam", "sample"):
        for text in ("The cat sleeps.", "Where is the dog?"):
            trace = run(filtered, text, replace(SHORT, method=method))
            for output in trace.outputs:
                assert not any(map(forbidden, runs("".join(output.pieces).replace("▁", " "))))


@pytest.mark.parametrize(
    "typed", ["Hi.¶ The cat sleeps.", " ¶¶Hi. ¶The cat sleeps.¶", "a¶Hi.¶The cat sleeps."]
)
def test_only_the_last_turns_are_read(checkpoint, typed):
    chosen = known_by(checkpoint, turn_separator="¶", turns=2)
    assert prepare(chosen, typed).text == "Hi.¶ The cat sleeps."
    assert prepare(chosen, "The cat").text == "The cat"
    with pytest.raises(UserError, match="nothing to read"):
        prepare(chosen, "¶ ¶")


def test_a_folded_model_writes_as_its_source_does(checkpoint, pairs):
    tokenizer = Unigram(checkpoint.tokenizer.model, folded=True)
    chosen = known_by(replace(checkpoint, tokenizer=tokenizer), folded=True)
    text = "The CAT sleeps on 25 chairs."
    trace = run(chosen, text, SHORT)
    assert trace.source.text == text
    assert trace.source.ids == run(chosen, text.lower().replace("25", "##"), SHORT).source.ids
    assert trace.text == unfold(tokenizer.decode(trace.target.ids).strip(), text)
    [found] = generate(chosen, [text], SHORT)
    assert to_text(chosen, found, text) == trace.text == trace.outputs[0].text


# --- a model that has learnt few positions


@pytest.fixture(scope="module")
def short_sighted(checkpoint_root, tokenizer):
    config = TransformerConfig(
        len(tokenizer),
        width=16,
        feedforward=16,
        positions="learned",
        max_positions=12,
    )
    card = read_card(checkpoint_root / "transformer")
    model = build(config).eval().requires_grad_(False)
    return Checkpoint(model, tokenizer, card, own_generation_config(config, card, tokenizer))


@pytest.mark.parametrize("method", ["beam", "greedy", "sample"])
@pytest.mark.parametrize("text", ["a", "The cat sleeps on the chair and the dog in the garden."])
def test_a_model_of_few_positions_reads_and_writes_no_more(short_sighted, method, text):
    options = Options(method=method, min_length=100)
    trace = run(short_sighted, text, options)
    assert len(trace.source) <= 12
    assert 0 < len(trace.target) <= 12
    assert bool(trace.notes) == (len(text) > 1)
    [found] = generate(short_sighted, [text], options)
    assert found.hypotheses[0].tokens == trace.target.ids


# --- a model that was trained on plain text


def test_tokens_are_found_in_the_text_as_it_was_typed(checkpoint):
    chosen = known_by(checkpoint, plain_punctuation=True, case="sentence")
    options = Options(beam_width=2, max_length=6, instruction="sum up:")
    trace = run(chosen, "  THE CAT’S\n\nOLD… \ud800", options)
    assert trace.source.text == "sum up: The cat's old..."
    assert_cover(trace.source.spans, trace.source.text)
    assert_cover(trace.target.spans, trace.text)
    assert trace.read.text == "  THE CAT’S\n\nOLD…  "
    assert_cover(trace.read.spans, trace.read.text)
    for (start, _), span in zip(trace.source.spans, trace.read.spans, strict=True):
        assert start >= len("sum up: ") or span[0] == span[1]
    assert Trace.from_json(trace.to_json()).read == trace.read
    assert run(chosen, "The cat.", SHORT).given is None


def test_what_was_not_read_is_of_no_token(checkpoint):
    text = "The cat sleeps. " * 600
    trace = run(checkpoint, text, Options(beam_width=1, max_length=2))
    assert trace.notes
    assert trace.read.text.startswith(trace.source.text)
    assert_cover(trace.source.spans, trace.source.text)
    assert trace.read.spans[:-1] == trace.source.spans[:-1]


@pytest.mark.parametrize(("task", "restored"), [("translation", True), ("chatbot", False)])
def test_a_text_is_read_as_the_training_data_were_written(checkpoint, task, restored):
    chosen = known_by(checkpoint, plain_punctuation=True, case="sentence", task=task)
    plain = run(chosen, "The cat's old.", SHORT)
    assert plain.notes == ()
    assert run(chosen, "The cat’s old.", SHORT).source.ids == plain.source.ids
    shouted = run(chosen, "THE CAT’S OLD.", SHORT)
    assert shouted.source.text == "The cat's old."
    assert shouted.source.ids == plain.source.ids
    assert len(shouted.notes) == 2
    assert shouted.text == (plain.text.upper() if restored else plain.text)
    [found] = generate(chosen, ["THE CAT’S OLD."], SHORT)
    assert to_text(chosen, found, "THE CAT’S OLD.") == shouted.text
    begun = [
        run(chosen, "The cat's old.", Options(beam_width=2, max_length=6, prefix=prefix))
        for prefix in ("l'été", "l’été")
    ]
    assert begun[0].target.ids == begun[1].target.ids
