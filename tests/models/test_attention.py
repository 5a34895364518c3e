import math

import pytest
import torch
from torch import nn

from seq2seq.models.attention import Additive, Dot, General, MultiHead, attend

WIDTH = 8
ONE_HEAD = {
    "additive": lambda: Additive(WIDTH, WIDTH, 5),
    "dot": Dot,
    "general": lambda: General(WIDTH, WIDTH),
}


@pytest.fixture
def query():
    return torch.randn(3, 4, WIDTH)


@pytest.fixture
def states():
    return torch.randn(3, 6, WIDTH)


@pytest.fixture
def mask():
    return torch.arange(6) < torch.tensor([[6], [4], [1]])


@pytest.mark.parametrize("kind", ONE_HEAD)
def test_rows_sum_to_one_and_are_zero_on_padding(kind, query, states, mask):
    attention = ONE_HEAD[kind]()
    scores = attention.scores(query, attention.prepare(states))
    _, weights = attend(scores, states, mask.unsqueeze(1))
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 4))
    assert (weights >= 0).all()
    hidden = ~mask.unsqueeze(1).expand_as(weights)
    assert (weights[hidden] == 0).all()
    assert (weights[~hidden] > 0).all()


@pytest.mark.parametrize("kind", ONE_HEAD)
def test_context_is_the_weighted_average(kind, query, states, mask):
    attention = ONE_HEAD[kind]()
    scores = attention.scores(query, attention.prepare(states))
    context, weights = attend(scores, states, mask.unsqueeze(1))
    for row in range(3):
        for target in range(4):
            expected = sum(weights[row, target, i] * states[row, i] for i in range(6))
            torch.testing.assert_close(context[row, target], expected)


def test_what_lies_on_padding_changes_nothing(query, states, mask):
    moved = torch.where(mask.unsqueeze(2), states, 100.0)
    for kind in ONE_HEAD.values():
        attention = kind()
        first, second = (
            attend(attention.scores(query, attention.prepare(each)), each, mask.unsqueeze(1))[0]
            for each in (states, moved)
        )
        torch.testing.assert_close(first, second)


def test_a_score_far_above_the_others_takes_all(states):
    scores = torch.zeros(3, 1, 6)
    scores[:, :, 2] = 50.0
    context, weights = attend(scores, states, None)
    torch.testing.assert_close(weights[:, :, 2], torch.ones(3, 1))
    torch.testing.assert_close(context[:, 0], states[:, 2])


def test_additive_is_its_formula(query, states):
    attention = Additive(WIDTH, WIDTH, 5)
    scores = attention.scores(query, attention.prepare(states))
    w, u, b = attention.query.weight, attention.key.weight, attention.key.bias
    v = attention.energy.weight[0]
    for row in range(3):
        for target in range(4):
            for source in range(6):
                mixed = torch.tanh(w @ query[row, target] + u @ states[row, source] + b)
                torch.testing.assert_close(scores[row, target, source], v @ mixed)


def test_additive_takes_queries_of_another_width_than_the_memory():
    attention = Additive(3, WIDTH, 5)
    scores = attention.scores(torch.randn(2, 4, 3), attention.prepare(torch.randn(2, 6, WIDTH)))
    assert scores.shape == (2, 4, 6)


def test_dot_is_the_inner_product_over_the_root_of_the_width(query, states):
    scores = Dot().scores(query, Dot().prepare(states))
    for row in range(3):
        for target in range(4):
            for source in range(6):
                expected = (query[row, target] * states[row, source]).sum() / math.sqrt(WIDTH)
                torch.testing.assert_close(scores[row, target, source], expected)


def test_general_with_the_identity_is_dot(query, states):
    general = General(WIDTH, WIDTH)
    with torch.no_grad():
        general.key.weight.copy_(torch.eye(WIDTH))
    dot = Dot()
    expected = dot.scores(query, dot.prepare(states))
    torch.testing.assert_close(general.scores(query, general.prepare(states)), expected)


def test_general_is_its_formula(query, states):
    general = General(WIDTH, WIDTH)
    scores = general.scores(query, general.prepare(states))
    expected = torch.einsum("btq,qk,bsk->bts", query, general.key.weight, states)
    torch.testing.assert_close(scores, expected / math.sqrt(WIDTH))


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_multi_head_recorded_equals_fused(heads, query, states, mask):
    attention = MultiHead(WIDTH, heads).eval()
    keys, visible = attention.prepare(states), mask[:, None, None, :]
    recorded, weights = attention(query, keys, visible, record=True)
    fused, nothing = attention(query, keys, visible)
    assert nothing is None
    torch.testing.assert_close(recorded, fused, atol=1e-5, rtol=0)
    assert weights.shape == (3, heads, 4, 6)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, heads, 4))
    assert (weights.masked_select(~visible) == 0).all()


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("record", [False, True])
def test_multi_head_equals_torch(heads, record, query, states, mask):
    attention = MultiHead(WIDTH, heads).eval()
    reference = nn.MultiheadAttention(WIDTH, heads, batch_first=True).eval()
    parts = attention.query, attention.key, attention.value
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        reference.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        reference.out_proj.load_state_dict(attention.output.state_dict())
    context, weights = attention(query, attention.prepare(states), mask[:, None, None], record)
    expected, expected_weights = reference(
        query, states, states, key_padding_mask=~mask, average_attn_weights=False
    )
    torch.testing.assert_close(context, expected, atol=1e-5, rtol=0)
    if record:
        torch.testing.assert_close(weights, expected_weights, atol=1e-5, rtol=0)


def test_general_divides_by_the_root_of_the_width_of_its_keys():
    general, states, query = General(2, WIDTH), torch.randn(1, 6, WIDTH), torch.randn(1, 4, 2)
    expected = query @ (states @ general.key.weight.T).transpose(1, 2) / math.sqrt(2)
    torch.testing.assert_close(general.scores(query, general.prepare(states)), expected)


def test_multi_head_divides_scores_by_the_root_of_a_heads_width(query, states):
    attention = MultiHead(WIDTH, 2)
    queries = attention.query(query).unflatten(-1, (2, 4)).transpose(1, 2)
    keys = attention.prepare(states)
    _, weights = attention(query, keys, None, record=True)
    expected = (queries @ keys[0].transpose(2, 3) / math.sqrt(4)).softmax(-1)
    torch.testing.assert_close(weights, expected)


def test_multi_head_drops_weights_only_while_training(query, states):
    attention = MultiHead(WIDTH, 2, dropout=0.5)
    keys = attention.prepare(states)
    first, second = attention(query, keys, None)[0], attention(query, keys, None)[0]
    assert not torch.equal(first, second)
    attention.eval()
    assert torch.equal(attention(query, keys, None)[0], attention(query, keys, None)[0])
