import copy
import dataclasses
import json
import random

import numpy as np
import pytest

from seq2seq.decoding.hypothesis import BeamTree
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.pipeline import run
from seq2seq.trace import (
    Alternatives,
    Given,
    Output,
    Tokens,
    Trace,
    shown,
    special_by_spelling,
    words,
)
from tests.made_tokens import made_tokens

ENDED = (False, False, False, True)


def written_by_hand(attention=True):
    """Build a Trace that no model has seen, with numbers that float16 and float32 round."""
    number = np.random.default_rng(0)

    def half(*shape):
        return number.random(shape, dtype=np.float32).astype(np.float16)

    def rows(*shape):
        weights = number.random(shape)
        return (weights / weights.sum(-1, keepdims=True)).astype(np.float16)

    source = Tokens(
        "a cat",
        (5, 6, 7, 3),
        ("▁a", "▁c", "at", "</s>"),
        (0, 1, 1, 2),
        ENDED,
        ((0, 1), (2, 3), (3, 5), (5, 5)),
    )
    target = Tokens(
        "un chat",
        (8, 9, 6, 3),
        ("▁un", "▁ch", "at", "</s>"),
        (0, 1, 1, 2),
        ENDED,
        ((0, 2), (3, 5), (5, 7), (7, 7)),
    )
    return Trace(
        checkpoint="tiny",
        task="translation",
        options=Options(beam_width=2, temperature=0.1 + 0.2, prefix='"é"\n'),
        notes=("Only the first half was read.",),
        source=source,
        target=target,
        log_probabilities=np.log(number.random(4, dtype=np.float32)),
        ranks=np.array([0, 1, 0, 3]),
        alternatives=Alternatives(
            np.arange(8).reshape(4, 2),
            (("a", "b"), ("c", "d"), ("e", "f"), ("</s>", "▁")),
            np.log(number.random((4, 2), dtype=np.float32)),
        ),
        encoder_states=half(4, 6),
        decoder_states=half(4, 6),
        contexts=half(4, 6),
        attention=rows(4, 2, 3, 4) if attention else None,
        outputs=(Output("un chat", target.pieces, -1 / 3, -1 / 12, True, 3),),
        beam_tree=BeamTree(
            step=np.arange(4),
            parent=np.arange(4) - 1,
            token=np.array([8, 9, 6, 3]),
            log_probability=number.random(4),
            cumulative=number.random(4),
            score=number.random(4),
            rank=np.zeros(4, dtype=np.int64),
            status=np.array([0, 0, 0, 1]),
        ),
        beam_pieces=target.pieces,
        seconds={"encode": 0.0, "search": 0.1 + 0.2, "record": 1e-9},
        encoder_attention=rows(2, 3, 4, 4) if attention else None,
        decoder_attention=rows(4, 2, 3, 4) if attention else None,
        given=Given("“A  cat”", ((1, 2), (4, 5), (5, 7), (7, 7))),
    )


def flat(value, path=""):
    """List every leaf of a record with its path."""
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return [leaf for key in value for leaf in flat(value[key], f"{path}.{key}")]
    return [(path, value)]


def assert_same(one, other):
    first, second = flat(one), flat(other)
    assert [path for path, _ in first] == [path for path, _ in second]
    for (path, left), (_, right) in zip(first, second, strict=True):
        assert type(left) is type(right), path
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype, path
            assert left.shape == right.shape, path
            assert left.tobytes() == right.tobytes(), path
        else:
            assert left == right, path


@pytest.mark.parametrize("attention", [True, False])
def test_a_hand_written_trace_comes_back_exactly(attention):
    trace = written_by_hand(attention)
    assert_same(trace, Trace.from_json(trace.to_json()))
    assert Trace.from_json(trace.to_json().decode()).to_json() == trace.to_json()


def test_a_recorded_trace_comes_back_exactly(trace):
    assert_same(trace, Trace.from_json(trace.to_json()))


def test_it_is_json_that_others_can_read(trace):
    values = json.loads(trace.to_json())
    assert values["format"].startswith("seq2seq-trace/")
    assert values["target"]["text"] == trace.text
    assert len(values["log_probabilities"]) == len(values["target"]["pieces"])


def test_a_trace_cannot_be_changed():
    trace = written_by_hand()
    with pytest.raises(dataclasses.FrozenInstanceError):
        trace.checkpoint = "other"
    for part in (trace.attention, trace.contexts, trace.alternatives.ids, trace.beam_tree.score):
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 0


# --- damaged files


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        "[]",
        "null",
        "3",
        '"text"',
        '{"format": 3}',
        '{"format": "seq2seq-trace/1"}',
        "<html>",
        b"\xff\xfe",
        b"\x00" * 10,
        "[" * 100_000,
        '{"format":' * 10_000,
    ],
    ids=range(14),
)
def test_what_is_no_trace_is_refused(text):
    with pytest.raises(UserError):
        Trace.from_json(text)


def test_half_a_file_is_refused():
    text = written_by_hand().to_json()
    for end in range(0, len(text), 97):
        with pytest.raises(UserError):
            Trace.from_json(text[:end])


def test_another_version_is_told_apart():
    values = json.loads(written_by_hand().to_json())
    with pytest.raises(UserError, match="another version"):
        Trace.from_json(json.dumps(values | {"format": "seq2seq-trace/0"}))


def test_every_field_is_needed():
    values = json.loads(written_by_hand().to_json())
    for name in values:
        with pytest.raises(UserError):
            Trace.from_json(json.dumps({key: values[key] for key in values if key != name}))


def put(path, value):
    def damage(values):
        *parents, last = path
        for key in parents:
            values = values[key]
        values[last] = value

    return damage


def drop(*path):
    def damage(values):
        *parents, last = path
        for key in parents:
            values = values[key]
        del values[last]

    return damage


DAMAGES = {
    "a token too few": drop("source", "ids", 0),
    "a piece too few": drop("target", "pieces", 0),
    "a piece that is no text": put(("source", "pieces", 0), 3),
    "an id that is no number": put(("source", "ids", 0), "5"),
    "a text that is none": put(("target", "text"), ["a"]),
    "a word too few": drop("target", "words", -1),
    "a word too many": put(("source", "words", 3), 9),
    "a word far away": put(("source", "words", 3), 10**12),
    "a negative word": put(("source", "words", 0), -1),
    "a word that is no number": put(("source", "words", 0), "0"),
    "words out of order": put(("source", "words"), [1, 0, 2, 0]),
    "a mark too few": drop("target", "special", 0),
    "a mark that is none": put(("target", "special", 0), 0),
    "no source": put(
        ("source",), {"text": "", "ids": [], "pieces": [], "words": [], "special": []}
    ),
    "no tokens at all": put(("source",), None),
    "probabilities too few": drop("log_probabilities", 0),
    "probabilities missing": put(("log_probabilities",), None),
    "a probability above 1": put(("log_probabilities", 0), 0.5),
    "a probability that is none": put(("log_probabilities", 0), None),
    "ranks too few": drop("ranks", 0),
    "a rank that is half": put(("ranks", 0), 0.5),
    "a rank beyond all": put(("ranks", 0), 2**80),
    "alternatives too few": drop("alternatives", "ids", 0),
    "alternatives uneven": drop("alternatives", "ids", 0, 0),
    "alternative pieces too few": drop("alternatives", "pieces", 0),
    "alternative pieces uneven": drop("alternatives", "pieces", 0, 0),
    "alternative probabilities flat": put(("alternatives", "log_probabilities"), [-1.0] * 4),
    "alternatives missing": put(("alternatives",), []),
    "states too few": drop("encoder_states", 0),
    "states uneven": drop("decoder_states", 0, 0),
    "states flat": put(("contexts",), [0.5] * 4),
    "states of no width": put(("contexts",), [[]] * 4),
    "states missing": put(("contexts",), None),
    "a state that is text": put(("encoder_states", 0, 0), "x"),
    "attention too short": drop("attention", 0),
    "attention uneven": drop("attention", 0, 0, 0, 0),
    "attention flat": put(("attention",), [0.25] * 4),
    "attention of a strange source": put(("attention",), [[[[0.5, 0.5]]]] * 4),
    "a weight above 1": put(("attention", 0, 0, 0, 0), 7.0),
    "a weight that is none": put(("attention", 0, 0, 0, 0), None),
    "encoder attention too short": drop("encoder_attention", 0, 0, 0),
    "encoder attention flat": put(("encoder_attention",), [0.5]),
    "decoder attention too short": drop("decoder_attention", 0),
    "decoder attention flat": put(("decoder_attention",), [0.5] * 4),
    "no outputs": put(("outputs",), []),
    "an output without text": drop("outputs", 0, "text"),
    "an output whose text is none": put(("outputs", 0, "text"), 3),
    "an output whose score is text": put(("outputs", 0, "score"), "high"),
    "an output beyond the tree": put(("outputs", 0, "node"), 4),
    "an output before the tree": put(("outputs", 0, "node"), -2),
    "a tree with a column too few": drop("beam_tree", "rank"),
    "a tree with a column too many": put(("beam_tree", "colour"), [1, 2, 3, 4]),
    "a column too short": drop("beam_tree", "score", 0),
    "a column that is none": put(("beam_tree", "score"), None),
    "a parent after its child": put(("beam_tree", "parent", 1), 3),
    "a parent of itself": put(("beam_tree", "parent", 2), 2),
    "a parent before all": put(("beam_tree", "parent", 2), -5),
    "a step that does not follow": put(("beam_tree", "step", 2), 7),
    "a first step that is none": put(("beam_tree", "step", 0), 1),
    "an unknown status": put(("beam_tree", "status", 0), 3),
    "beam pieces too few": drop("beam_pieces", 0),
    "a beam piece that is no text": put(("beam_pieces", 0), None),
    "options of another kind": put(("options", "beam_width"), "5"),
    "options out of range": put(("options", "beam_width"), 11),
    "options unknown": put(("options", "colour"), "red"),
    "options missing": put(("options",), None),
    "notes that are no texts": put(("notes",), [1, 2]),
    "notes that are no list": put(("notes",), "abc"),
    "seconds that are none": put(("seconds",), None),
    "seconds without a phase": drop("seconds", "encode"),
    "seconds of a strange phase": put(("seconds", "lunch"), 1.0),
    "seconds before the start": put(("seconds", "record"), -1.0),
    "seconds that are text": put(("seconds", "search"), "fast"),
    "a checkpoint without name": put(("checkpoint",), None),
    "a task that is none": put(("task",), ["translation"]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_refused(damage):
    values = json.loads(written_by_hand().to_json())
    damage(values)
    with pytest.raises(UserError):
        Trace.from_json(json.dumps(values))


def places(value, path=()):
    """List the path of every value in nested lists and dictionaries."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


def test_whatever_is_put_anywhere_is_refused_or_harmless():
    whole = json.loads(written_by_hand().to_json())
    strange = [None, True, -1, 0, 10**6, 10**18, 2**63, 1e300, 0.5, "", "x", [], [[]], {}, {"a": 1}]
    everywhere = [(path, value) for path in places(whole) for value in strange]
    for path, value in random.Random(0).sample(everywhere, 1_500):
        values = copy.deepcopy(whole)
        put(path, value)(values)
        try:
            trace = Trace.from_json(json.dumps(values))
        except UserError:
            continue
        assert_same(trace, Trace.from_json(trace.to_json()))
        for node in range(len(trace.beam_tree.step)):
            trace.beam_tree.path(node)
        words(trace.source)


# --- what follows from a trace


def test_words_are_as_they_are_written():
    trace = written_by_hand()
    assert words(trace.source) == ("a", "cat", "</s>")
    assert words(made_tokens(("▁", "▁b"))) == ("␣", "b")


@pytest.mark.parametrize(
    ("piece", "text"), [("▁cat", "cat"), ("s", "s"), ("▁", "␣"), ("</s>", "</s>"), ("▁a▁b", "a b")]
)
def test_a_piece_is_shown_without_its_mark(piece, text):
    assert shown(piece) == text


@pytest.mark.parametrize(
    "piece", ["</s>", "<pad>", "<|en|>", "<|0.00|>", ">>fra<<", "eng_Latn", "en_XX", "__en__"]
)
def test_special_tokens_of_old_runs_are_known_by_how_they_are_written(piece):
    assert special_by_spelling((piece, "▁" + piece)) == (True, False)


@pytest.mark.parametrize("piece", ["▁one", "<", ">", "<0x0A>", "▁<b>", "a<b>"])
def test_pieces_of_text_are_not_special(piece):
    assert special_by_spelling([piece]) == (False,)


def test_a_run_says_which_tokens_stand_for_no_text(checkpoint):
    trace = run(checkpoint, "A cat 漢 sleeps")
    assert trace.source.special == (*(False,) * (len(trace.source) - 1), True)
    assert "漢" in "".join(trace.source.pieces)
    ends = [token == checkpoint.model.config.eos for token in trace.target.ids]
    assert ends[-1] <= trace.target.special[-1]


def test_probabilities_are_between_0_and_1(trace):
    assert trace.probabilities.shape == (len(trace.target),)
    assert ((trace.probabilities > 0) & (trace.probabilities <= 1)).all()
