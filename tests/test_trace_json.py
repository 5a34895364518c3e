import json
import time
import tracemalloc
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seq2seq import trace_json
from seq2seq.decoding.interventions import AttentionEdit, Interventions
from seq2seq.errors import UserError
from seq2seq.trace import FORMAT, Trace
from tests.made_tokens import made_tokens
from tests.test_trace import assert_same, put, written_by_hand

SAVED = Path(__file__).parent / "data" / "saved_runs"
TEXT = "a" * 500_000
DEEP = json.loads("[" * 900 + "]" * 900)

# What could take a server down if it were believed, each a change of a good file.
ATTACKS = {
    "a text among states": put(("encoder_states", 0, 0), TEXT),
    "a text for a row": put(("decoder_states", 0), TEXT),
    "a long text among short rows": put(("contexts",), [[0.5], [TEXT]] * 2),
    "a text among weights": put(("attention", 0, 0, 0, 0), TEXT),
    "a text among ranks": put(("ranks", 0), TEXT),
    "a text in the tree": put(("beam_tree", "score", 0), TEXT),
    "many texts among states": put(("encoder_states",), [["a" * 20_000] * 4] * 50),
    "an object among states": put(("encoder_states", 0, 0), {"a": 1}),
    "a true among states": put(("encoder_states", 0, 0), True),
    "a whole number beyond all": put(("ranks", 0), 2**64 - 1),
    "lists far too deep": put(("encoder_states",), DEEP),
    "lists too deep": put(("encoder_states", 0, 0), [1.0] * 100_000),
    "notes by the thousand": put(("notes",), ["x"] * 20_000),
    "a note of a book": put(("notes",), [TEXT]),
    "outputs by the thousand": lambda values: values.update(outputs=values["outputs"] * 50_000),
    "an output of endless pieces": put(("outputs", 0, "pieces"), ["a"] * 100_000),
    "an endless piece": put(("source", "pieces", 0), TEXT),
    "endless beam pieces": put(("beam_pieces", 0), TEXT),
    "pieces long in all": put(("source", "pieces"), ["a" * 7_000] * 1_400),
    "an endless source text": put(("source", "text"), TEXT),
    "a source of too many tokens": put(
        ("source",),
        {
            "text": "",
            "ids": [1] * 50_000,
            "pieces": ["a"] * 50_000,
            "words": [0] * 50_000,
            "special": [False] * 50_000,
            "spans": [[0, 0]] * 50_000,
        },
    ),
    "nodes by the thousand": put(("beam_pieces",), ["a"] * 200_000),
    "endless alternatives": put(("alternatives", "pieces", 0), ["a"] * 100_000),
    "steps with alternatives without end": put(("alternatives", "pieces"), [["a"]] * 100_000),
    "an endless name": put(("checkpoint",), TEXT),
    "an endless task": put(("task",), TEXT),
    "an endless precision": put(("precision",), TEXT),
    "phases by the thousand": put(("seconds",), {str(n): 0.5 for n in range(50_000)}),
    "an endless prefix": put(("options", "prefix"), TEXT),
    "an endless method": put(("options", "method"), TEXT),
    "prefix tokens without end": put(("options", "prefix_tokens"), [1] * 300_000),
    "muted words without end": put(("interventions", "muted"), [1] * 300_000),
    "changes without end": put(
        ("interventions", "attention"),
        [{"step": 0, "weights": [1.0], "layer": None, "head": None}] * 20_000,
    ),
    "weights of a change without end": put(
        ("interventions", "attention"),
        [{"step": 0, "weights": [1.0] * 300_000, "layer": None, "head": None}],
    ),
    "a change before the start": put(
        ("interventions", "attention"),
        [{"step": -1, "weights": [1.0] * 4, "layer": None, "head": None}],
    ),
    "a packed array of another size": put(
        ("encoder_states",), {"dtype": "float16", "shape": [4, 10**9], "base64": "AAAA"}
    ),
    "a packed array of size nought": put(
        ("encoder_states",), {"dtype": "float16", "shape": [4, 0], "base64": ""}
    ),
    "a packed array of negative size": put(
        ("encoder_states",), {"dtype": "float16", "shape": [-4, -6], "base64": "A" * 64}
    ),
    "a packed array of texts": put(
        ("encoder_states",), {"dtype": "U500000", "shape": [4, 1], "base64": "A" * 12}
    ),
    "a packed array of objects": put(
        ("encoder_states",), {"dtype": "object", "shape": [4, 1], "base64": "A" * 44}
    ),
    "a packed array that is not base64": put(
        ("encoder_states",), {"dtype": "float16", "shape": [4, 1], "base64": "!" * 12}
    ),
    "a packed array that is not finite": put(
        ("encoder_states",),
        {
            "dtype": "float16",
            "shape": [4, 1],
            "base64": b64encode(np.full(4, np.inf, dtype="<f2").tobytes()).decode(),
        },
    ),
    "a packed array that is none": put(("encoder_states",), {"base64": "AAAA"}),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused_at_once_and_takes_little_memory(attack):
    values = json.loads(written_by_hand().to_json())
    attack(values)
    assert_cheaply_refused(json.dumps(values).encode())


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 3_000_000,
        b"[" + b"[]," * 2_000_000 + b"[]]",
        b"[" + b'"",' * 1_000_000 + b'""]',
        b"[" + b"{}," * 500_000 + b"{}]",
        b"[" + b"0," * 9_000_000 + b"0]",
        b"9" * 3_000_000,
        b" " * (trace_json.MAX_BYTES + 1),
    ],
    ids=["depth", "lists", "texts", "objects", "numbers", "a number", "space"],
)
def test_what_would_grow_when_it_is_parsed_is_refused(text):
    assert_cheaply_refused(text)


def assert_cheaply_refused(text):
    started = time.process_time()  # of the processor, whatever else the machine does
    with pytest.raises(UserError) as caught:
        Trace.from_json(text)
    assert time.process_time() - started < 1.0
    assert len(str(caught.value)) < 300
    tracemalloc.start()
    with pytest.raises(UserError):
        Trace.from_json(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # orjson sets aside 12 bytes for each byte of a text, most of which it never touches.
    assert peak < 20_000_000 + 14 * len(text)


@pytest.mark.parametrize("version", [3, 4])
def test_a_run_saved_in_an_older_format_opens(version):
    saved = (SAVED / f"format-{version}.json").read_bytes()
    assert json.loads(saved)["format"] == f"seq2seq-trace/{version}" != FORMAT
    assert_same(Trace.from_json(saved), replace(written_by_hand(), given=None))


def test_a_run_saved_in_this_format_opens():
    saved = (SAVED / "format-5.json").read_bytes()
    assert json.loads(saved)["format"] == FORMAT
    assert_same(Trace.from_json(saved), written_by_hand())


@pytest.mark.parametrize("attention", [True, False])
def test_a_compact_file_holds_the_same_numbers(attention):
    trace = written_by_hand(attention)
    assert_same(trace, Trace.from_json(trace.to_json(compact=True)))
    assert_same(trace, Trace.from_json(trace.to_file()))


def long_run(layers, heads, target=511, source=511, width=256):
    """Build a run as large as a model of this shape writes."""
    number = np.random.default_rng(0)

    def half(*shape):
        return number.random(shape, dtype=np.float32).astype(np.float16)

    def rows(*shape):
        weights = number.random(shape, dtype=np.float32)
        return (weights / weights.sum(-1, keepdims=True)).astype(np.float16)

    def tokens(count):
        return made_tokens(("▁a",) * count)

    small, nodes = written_by_hand(), np.arange(target)
    return replace(
        small,
        given=None,
        source=tokens(source),
        target=tokens(target),
        log_probabilities=np.full(target, -0.1, dtype=np.float32),
        ranks=nodes,
        alternatives=replace(
            small.alternatives,
            ids=nodes[:, None],
            pieces=(("a",),) * target,
            log_probabilities=np.full((target, 1), -0.1, dtype=np.float32),
        ),
        encoder_states=half(source, width),
        decoder_states=half(target, width),
        contexts=half(target, width),
        attention=rows(target, layers, heads, source),
        encoder_attention=rows(layers, heads, source, source),
        decoder_attention=rows(target, layers, heads, target),
    )


def test_the_longest_run_of_a_transformer_is_saved_small_and_opens_again():
    trace = long_run(layers=3, heads=4)
    saved = trace.to_file()
    assert len(saved) < 30_000_000 < trace_json.MAX_BYTES
    assert len(saved) < 0.5 * len(trace.to_json())
    assert_same(trace, Trace.from_json(saved))


def test_self_attention_that_does_not_fit_is_left_out_with_a_note(monkeypatch):
    trace = long_run(layers=1, heads=2)
    monkeypatch.setattr(trace_json, "MAX_BYTES", len(trace.to_json(compact=True)) - 1_000)
    again = Trace.from_json(trace.to_file())
    assert again.encoder_attention is None
    assert again.decoder_attention is None
    assert again.attention.tobytes() == trace.attention.tobytes()
    assert "Self-attention was left out" in again.notes[-1]
    monkeypatch.setattr(trace_json, "MAX_BYTES", 100_000)
    assert trace.for_file() is None
    with pytest.raises(UserError, match="too large to be saved"):
        trace.to_file()


def test_changes_in_whole_numbers_come_back_as_the_same():
    changed = Interventions((AttentionEdit(0, (1, 0, 0, 0)),), (1,))
    trace = replace(written_by_hand(), interventions=changed)
    assert Trace.from_json(trace.to_json()).interventions == changed
