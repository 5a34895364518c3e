"""The alignment of tokens with time: against brute force, on made-up attention, on recordings."""

from dataclasses import replace

import numpy as np
import pytest

import seq2seq
from seq2seq.analysis.word_timestamps import (
    align,
    best_head,
    monotonicity,
    shown_tokens,
    span,
    timed_words,
    warp,
)
from tests.made_tokens import made_tokens


@pytest.fixture(scope="module")
def trace(checkpoint_root):
    """One run is enough: its attention is replaced."""
    return seq2seq.run(seq2seq.load(checkpoint_root / "transformer"), "The dog sleeps.")


def cheapest(costs, row=0, column=0):
    """The cost of the best path from a cell on, by trying all of them."""
    rows, columns = costs.shape
    if (row, column) == (rows - 1, columns - 1):
        return costs[row, column]
    steps = ((row + 1, column), (row, column + 1), (row + 1, column + 1))
    rest = [cheapest(costs, r, c) for r, c in steps if r < rows and c < columns]
    return costs[row, column] + min(rest)


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (3, 5), (5, 3), (4, 4)])
def test_no_path_is_cheaper(shape):
    random = np.random.default_rng(sum(shape))
    for _ in range(10):
        costs = random.normal(size=shape)
        path = warp(costs)
        assert costs[tuple(path.T)].sum() == pytest.approx(cheapest(costs))
        assert path[0].tolist() == [0, 0]
        assert path[-1].tolist() == [shape[0] - 1, shape[1] - 1]
        steps = np.diff(path, axis=0)
        assert ((steps >= 0) & (steps <= 1)).all()
        assert (steps.sum(axis=1) > 0).all()


def heard(trace, weights, seconds=0.04, pieces=None):
    """A run on a recording with this attention (target, source)."""
    count, positions = weights.shape
    pieces = pieces or tuple(f"▁{number}" for number in range(count))
    numbers = tuple(np.cumsum([piece.startswith(("▁", "<")) for piece in pieces]) - 1)
    source = replace(
        trace.source,
        text="",
        ids=tuple(range(positions)),
        pieces=tuple(f"{n * seconds:.2f}" for n in range(positions)),
        words=tuple(range(positions)),
        special=(False,) * positions,
        spans=((0, 0),) * positions,
    )
    target = made_tokens(pieces, words=tuple(map(int, numbers)))
    return replace(
        trace,
        source=source,
        target=target,
        attention=weights[:, None, None].astype(np.float16),
        log_probabilities=np.full(count, np.log(0.5), np.float32),
        position_seconds=seconds,
    )


def blocks(lengths, noise=0.0):
    """Attention of tokens that look at one stretch each, evenly."""
    weights = np.repeat(np.eye(len(lengths)), lengths, axis=1)
    weights = weights + noise * np.random.default_rng(0).random(weights.shape)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_tokens_get_the_stretch_they_looked_at(trace, noise):
    lengths = [3, 5, 2, 6]
    found = align(heard(trace, blocks(lengths, noise)))
    assert found.starts == pytest.approx(np.array([0, 3, 8, 10]) * 0.04)
    assert found.ends == pytest.approx(np.array([3, 8, 10, 16]) * 0.04)
    assert found.on_path > 0.5
    assert found.on_path == pytest.approx(1) or noise


def test_a_place_where_all_look_moves_nobody(trace):
    weights = 0.3 * blocks([4, 4, 4])
    weights[:, 2] += 0.7
    found = align(heard(trace, weights))
    assert found.starts == pytest.approx([0, 0.16, 0.32])


def test_more_tokens_than_positions_still_have_times(trace):
    found = align(heard(trace, blocks([1] * 9)[:, :4] + 0.01))
    assert (found.ends > found.starts).all()
    assert (np.diff(found.starts) >= 0).all()
    assert found.ends[-1] == pytest.approx(0.16)


def test_times_never_go_back_even_where_attention_does(trace):
    weights = blocks([3, 3, 3])[[0, 2, 1]]
    found = align(heard(trace, weights))
    assert (np.diff(found.starts) >= 0).all()
    assert found.monotonicity == 0.5
    assert found.on_path < 1


def test_a_text_or_a_model_without_attention_has_no_times(trace):
    with pytest.raises(ValueError, match="recording"):
        align(trace)
    with pytest.raises(ValueError, match="recording"):
        align(replace(heard(trace, blocks([2, 2])), attention=None))


def test_steps_that_go_back_are_counted():
    assert monotonicity(np.eye(4)) == 1
    assert monotonicity(np.eye(4)[::-1]) == 0
    assert monotonicity(np.eye(4)[[0, 2, 1, 3]]) == pytest.approx(2 / 3)
    assert monotonicity(np.ones((3, 5))) == 1
    assert monotonicity(np.ones((1, 5))) == 1


def test_the_head_that_goes_back_least_is_found():
    random = np.random.default_rng(0)
    attention = random.random((6, 2, 3, 12))
    attention[:, 1, 2] = blocks([2] * 6)
    assert best_head(attention) == (1, 2)
    assert best_head(np.ones((1, 2, 2, 4))) == (0, 0)


def test_layer_and_head_are_those_that_were_asked_for(trace):
    straight, back = blocks([2, 3, 4]), blocks([2, 3, 4])[::-1]
    both = heard(trace, straight)
    both = replace(both, attention=np.stack([straight, back], axis=1)[:, None].astype("f2"))
    assert align(both, 0, 0).starts == pytest.approx([0, 0.08, 0.2])
    assert align(both, 0, 0).monotonicity == 1
    assert align(both, 0, 1).monotonicity == 0


PIECES = ("<|0.00|>", "▁", "o", "n", "e", "▁two", "</s>")


def test_words_begin_after_the_pause_and_leave_special_tokens_out(trace):
    made = heard(trace, blocks([2] * 7), pieces=PIECES)
    found = align(made)
    words = timed_words(made, found)
    assert [word.text for word in words] == ["one", "two"]
    assert (words[0].start, words[0].end) == pytest.approx((0.16, 0.4))
    assert (words[1].start, words[1].end) == pytest.approx((0.4, 0.48))
    assert words[0].probability == pytest.approx(0.5**4)
    every = timed_words(made, found, special=True)
    assert [word.text for word in every] == ["<|0.00|>", "one", "two", "</s>"]
    assert span(made.target, found, [1]) == pytest.approx((0.08, 0.16))


def test_special_tokens_are_hidden_unless_there_is_nothing_else(trace):
    target = heard(trace, blocks([2] * 7), pieces=PIECES).target
    assert shown_tokens(target, special=False) == [1, 2, 3, 4, 5]
    assert shown_tokens(target, special=True) == list(range(7))
    alone = replace(target, ids=(3,), pieces=("</s>",), words=(0,), special=(True,))
    assert shown_tokens(alone, special=False) == [0]
