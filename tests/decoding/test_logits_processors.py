import itertools
import math

import pytest
import torch

from seq2seq.data.word_filter import WordFilter
from seq2seq.decoding.logits_processors import (
    filter_words,
    forbid,
    forced_prefix,
    minimum_length,
    no_repeat,
)

VOCABULARY, END = 7, 3


@pytest.fixture
def scores():
    return torch.randn(2, VOCABULARY).log_softmax(-1)


def history(*rows):
    return torch.tensor(rows, dtype=torch.long).reshape(len(rows), -1)


def forbidden(rule, scores, *rows):
    """Run a rule; check that what it allows keeps its score; return what each row may not say."""
    after = rule(scores.clone(), history(*rows))
    assert torch.equal(after[after > -math.inf], scores[after > -math.inf])
    return [set(torch.where(row == -math.inf)[0].tolist()) for row in after]


def test_forbidden_tokens_are_never_said(scores):
    assert forbidden(forbid([0, 5]), scores, [], []) == [{0, 5}] * 2
    assert forbidden(forbid([0, 5]), scores, [1, 2], [5, 5]) == [{0, 5}] * 2


def test_no_end_before_the_minimum(scores):
    rule = minimum_length(2, [END])
    assert forbidden(rule, scores, [], []) == [{END}] * 2
    assert forbidden(rule, scores, [4], [5]) == [{END}] * 2
    assert forbidden(rule, scores, [4, 4], [5, 5]) == [set()] * 2


def test_a_word_on_the_list_is_not_completed(scores):
    rule = filter_words(WordFilter(["", "", "▁", "</s>", "▁id", "iot", "▁idiot"]))
    assert forbidden(rule, scores, [], []) == [{6}] * 2
    assert forbidden(rule, scores, [2, 4], [4, 2]) == [{5, 6}, {6}]


def test_a_prefix_is_said_token_by_token(scores):
    rule, every = forced_prefix([4, 6]), set(range(VOCABULARY))
    assert forbidden(rule, scores, [], []) == [every - {4}] * 2
    assert forbidden(rule, scores, [4], [4]) == [every - {6}] * 2
    assert forbidden(rule, scores, [4, 6], [4, 6]) == [set()] * 2


def test_what_an_earlier_rule_forbids_stays_forbidden(scores):
    rule = forced_prefix([4])
    after = rule(forbid([4])(scores, history([], [])), history([], []))
    assert (after == -math.inf).all()


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_no_ngram_is_said_twice(size, scores):
    rule = no_repeat(size)
    random = torch.Generator().manual_seed(size)
    for length in range(9):
        rows = torch.randint(4, VOCABULARY, (2, length), generator=random).tolist()
        for row, found in zip(rows, forbidden(rule, scores, *rows), strict=True):
            said = [tuple(row[i : i + size]) for i in range(length - size + 1)]
            expected = {
                token
                for token in range(VOCABULARY)
                if length >= size - 1 and (*row[length - size + 1 :], token)[-size:] in said
            }
            assert found == expected


def test_no_repeat_holds_for_everything_that_it_lets_through():
    rule = no_repeat(2)
    grown = [[]]
    for _ in range(5):
        grown = [
            [*row, token]
            for row, token in itertools.product(grown, range(3))
            if rule(torch.zeros(1, 3), history(row))[0, token] == 0
        ]
    expected = [
        list(row)
        for row in itertools.product(range(3), repeat=5)
        if len(set(itertools.pairwise(row))) == 4
    ]
    assert grown == expected


def test_a_forced_prefix_may_repeat_itself(scores):
    rule = no_repeat(1, after=3)
    assert forbidden(rule, scores, [4], [5]) == [set(), set()]
    assert forbidden(rule, scores, [4, 4], [5, 5]) == [set(), set()]
    assert forbidden(rule, scores, [4, 4, 4], [4, 5, 6]) == [{4}, {4, 5, 6}]
