import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from seq2seq import figures
from seq2seq.checkpoint import load
from seq2seq.data.dialogue import source_of
from seq2seq.decoding.options import Options
from seq2seq.figures.dialogue import BETWEEN, MOST_BARS, turn_numbers, turn_shares
from seq2seq.figures.theme import LIGHT
from seq2seq.inference.pipeline import run
from tests import chatbots
from tests.made_tokens import made_tokens

SAID = ["The cat sleeps.", "Where is the dog?", "In the garden."]


@pytest.fixture(scope="module", params=["lstm-attention", "transformer", "gru-plain"])
def trace(request, tmp_path_factory):
    checkpoint = load(chatbots.write(tmp_path_factory.mktemp("chatbots")) / request.param)
    source = source_of(SAID, chatbots.SEPARATOR)
    return run(checkpoint, source, Options(beam_width=2, max_length=9))


def test_every_token_of_a_turn_has_its_number(trace):
    numbers = turn_numbers(trace.source, chatbots.SEPARATOR)
    for number, said in enumerate(SAID):
        pieces = [p for p, n in zip(trace.source.pieces, numbers, strict=True) if n == number]
        assert "".join(pieces).replace("▁", " ").strip() == said
    apart = [p for p, n in zip(trace.source.pieces, numbers, strict=True) if n == -1]
    assert [piece.strip("▁") for piece in apart] == ["¶", "¶", "</s>"]


@pytest.mark.parametrize(
    ("pieces", "separator", "numbers"),
    [
        (("▁a", "¶", "▁b", "</s>"), "¶", [0, -1, 1, -1]),
        (("▁a", "▁¶", "▁b"), " ¶ ", [0, -1, 1]),
        (("<s>", "▁a", "▁_", "_end", "__", "▁b"), "__end__", [-1, 0, -1, -1, -1, 1]),
        (("▁a", "</", "s>", "▁<s", ">", "▁b", "</s>"), "</s> <s>", [0, *[-1] * 4, 1, -1]),
        (("▁a", "¶", "¶", "▁b"), "¶", [0, -1, -1, 1]),
        (("¶", "▁a"), "¶", [-1, 0]),
        (("▁a", "¶", "▁b"), "", [0, 0, 0]),
        (("▁<", "b", ">", "</s>"), "¶", [0, 0, 0, -1]),
    ],
)
def test_a_separator_is_found_however_it_was_split(pieces, separator, numbers):
    assert turn_numbers(made_tokens(pieces), separator) == numbers


def test_shares_of_turns_are_sums_of_weights(trace):
    if trace.attention is None:
        with pytest.raises(ValueError, match="no attention"):
            turn_shares(trace, chatbots.SEPARATOR)
        return
    shares = turn_shares(trace, chatbots.SEPARATOR)
    assert shares.shape == (len(trace.target), len(SAID) + 1)
    assert np.allclose(shares.sum(axis=1), 1, atol=5e-3)
    numbers = np.array(turn_numbers(trace.source, chatbots.SEPARATOR))
    mean = trace.attention.astype(np.float32).mean(axis=(1, 2))
    assert np.allclose(shares[:, 1], mean[:, numbers == 1].sum(axis=1), atol=1e-5)


@pytest.mark.parametrize("dark", [False, True])
def test_every_token_has_a_bar_of_all_turns(trace, dark):
    if trace.attention is None:
        pytest.skip("a model without attention")
    labels, by_model = ["1 <you>", "2 model", "3 you"], [False, True, False]
    drawn = figures.turn_attention(trace, chatbots.SEPARATOR, labels, by_model, dark)
    assert drawn == figures.turn_attention(trace, chatbots.SEPARATOR, labels, by_model, dark)
    assert [bars.name for bars in drawn.data] == ["1 &lt;you&gt;", *labels[1:], BETWEEN]
    assert np.allclose(np.sum([bars.y for bars in drawn.data], axis=0), 1, atol=5e-3)
    assert all(len(bars.x) == len(trace.target) for bars in drawn.data)
    colours = [bars.marker.color for bars in drawn.data]
    assert colours[:3] == figures.turn_colours(by_model, dark)
    assert len(set(colours)) == 4


def test_labels_of_another_conversation_are_left_out(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    drawn = figures.turn_attention(trace, chatbots.SEPARATOR, ["only one"], [True])
    assert [bars.name for bars in drawn.data][:3] == ["turn 1", "turn 2", "turn 3"]


def test_a_long_reply_is_drawn_in_part_and_says_so(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    count = MOST_BARS + 20
    target = replace(
        trace.target,
        ids=count * (5,),
        pieces=count * ("▁a",),
        words=range(count),
        special=count * (False,),
    )
    long = replace(trace, target=target, attention=np.repeat(trace.attention[:1], count, axis=0))
    drawn = figures.turn_attention(long, chatbots.SEPARATOR)
    assert len(drawn.data[0].x) == MOST_BARS
    assert f"{MOST_BARS} of {count}" in drawn.layout.xaxis.title.text


def test_later_turns_are_stronger():
    older, _, newer = figures.turn_colours([False, True, False])
    assert older != newer
    assert len(set(figures.turn_colours(4 * [False, True]))) >= 6
    assert LIGHT.grid not in figures.turn_colours(4 * [False, True])


def test_csv_holds_every_share(trace):
    if trace.attention is None:
        pytest.skip("a model without attention")
    lines = list(csv.DictReader(io.StringIO(figures.turn_attention_csv(trace, chatbots.SEPARATOR))))
    assert len(lines) == len(trace.target)
    shares = turn_shares(trace, chatbots.SEPARATOR)
    for line, row in zip(lines, shares, strict=True):
        written = [float(line[name]) for name in ("turn_1", "turn_2", "turn_3", "no_turn")]
        assert np.allclose(written, row, atol=1e-5)


def test_the_worth_of_turns_is_drawn_as_it_was_measured():
    labels, changes = ["2 you: <hi>", "3 model: ho"], [-4.5, 0.25]
    drawn = figures.turn_worth(labels, [False, True], changes)
    bars = drawn.data[0]
    assert list(bars.x) == changes
    assert list(drawn.layout.yaxis.ticktext) == ["without 2", "without 3"]
    assert "less probable" in bars.hovertext[0]
    assert "&lt;hi&gt;" in bars.hovertext[0]
    assert "1.28 times more probable" in bars.hovertext[1]
    assert drawn.layout.xaxis.range[0] < min(changes)
    lines = list(csv.reader(io.StringIO(figures.turn_worth_csv(labels, changes))))
    assert lines[1] == ["2 you: <hi>", "-4.500000"]
