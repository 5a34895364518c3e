import dataclasses

import numpy as np
import pytest

from seq2seq.catalogue import read_card
from seq2seq.checkpoint import Checkpoint, own_conventions
from seq2seq.errors import UserError
from seq2seq.model import Config, build
from seq2seq.options import Options
from seq2seq.pipeline import generate, run, to_text
from seq2seq.source import clean
from tests.test_source import STRANGE

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


# --- a model that has learnt few positions


@pytest.fixture(scope="module")
def short_sighted(checkpoint_root, tokenizer):
    config = Config(
        len(tokenizer),
        architecture="transformer",
        width=16,
        feedforward=16,
        positions="learned",
        max_positions=12,
    )
    card = read_card(checkpoint_root / "transformer")
    model = build(config).eval().requires_grad_(False)
    return Checkpoint(card, model, tokenizer, own_conventions(config))


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
