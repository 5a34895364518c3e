import itertools
import math

import pytest
import torch
from torch import nn

from seq2seq.errors import UserError
from seq2seq.models.config import TransformerConfig
from seq2seq.models.embeddings import sinusoids
from seq2seq.models.protocol import select
from seq2seq.models.seq2seq import build

CLOSE = {"atol": 1e-5, "rtol": 0}
WIDTH, HEADS, INNER, VOCABULARY = 16, 4, 24, 13


def tiny(**values):
    settings = {"width": WIDTH, "heads": HEADS, "feedforward": INNER, "dropout": 0.0} | values
    config = TransformerConfig(vocabulary=VOCABULARY, **settings)
    model = build(config).eval()
    # Fresh biases are 0 and fresh norms 1: a mix-up of them would not show.
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return model


def copy_attention(ours, reference):
    parts = ours.query, ours.key, ours.value
    reference.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
    reference.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    reference.out_proj.load_state_dict(ours.output.state_dict())


def copy_rest(ours, reference, last_norm):
    reference.linear1.load_state_dict(ours.feedforward.inner.state_dict())
    reference.linear2.load_state_dict(ours.feedforward.outer.state_dict())
    last_norm.load_state_dict(ours.feedforward_residual.norm.state_dict())


@torch.no_grad()
def torch_twin(model):
    """Build torch's own Transformer with the same weights."""
    config = model.config
    twin = nn.Transformer(
        WIDTH,
        HEADS,
        config.encoder_layers,
        config.decoder_layers,
        INNER,
        dropout=0.0,
        activation=config.activation,
        batch_first=True,
        norm_first=config.norm_first,
    ).eval()
    twin.encoder.use_nested_tensor = False
    if config.norm_first:
        twin.encoder.norm.load_state_dict(model.encoder.norm.state_dict())
        twin.decoder.norm.load_state_dict(model.decoder.norm.state_dict())
    else:  # the paper has no norm after the last layer's own
        twin.encoder.norm = twin.decoder.norm = None
    for ours, reference in zip(model.encoder.layers, twin.encoder.layers, strict=True):
        copy_attention(ours.attention, reference.self_attn)
        reference.norm1.load_state_dict(ours.attention_residual.norm.state_dict())
        copy_rest(ours, reference, reference.norm2)
    for ours, reference in zip(model.decoder.layers, twin.decoder.layers, strict=True):
        copy_attention(ours.self_attention, reference.self_attn)
        copy_attention(ours.attention, reference.multihead_attn)
        reference.norm1.load_state_dict(ours.self_attention_residual.norm.state_dict())
        reference.norm2.load_state_dict(ours.attention_residual.norm.state_dict())
        copy_rest(ours, reference, reference.norm3)
    return twin


def written_out_positions(count, width=WIDTH):
    table = torch.zeros(count, width)
    for position, column in itertools.product(range(count), range(width)):
        angle = position / 10_000 ** (2 * (column // 2) / width)
        table[position, column] = math.cos(angle) if column % 2 else math.sin(angle)
    return table


def embed(embedding, ids, learned):
    time = ids.shape[1]
    positions = embedding.positions.weight[:time] if learned else written_out_positions(time)
    return embedding.tokens.weight[ids] * math.sqrt(WIDTH) + positions


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
@pytest.mark.parametrize("layers", [(1, 1), (2, 3)])
def test_equals_torch(norm_first, activation, positions, layers):
    model = tiny(
        norm_first=norm_first,
        activation=activation,
        positions=positions,
        encoder_layers=layers[0],
        decoder_layers=layers[1],
        tied=False,
        shared=False,
    )
    twin, learned = torch_twin(model), positions == "learned"
    source = torch.randint(1, VOCABULARY, (3, 7))
    mask = torch.arange(7) < torch.tensor([[7], [4], [2]])
    target = torch.randint(1, VOCABULARY, (3, 5))
    with torch.no_grad():
        memory = model.encode(source * mask)
        steps = model.decoder(target, memory)
        expected_memory = twin.encoder(
            embed(model.encoder.embedding, source * mask, learned), src_key_padding_mask=~mask
        )
        expected = twin.decoder(
            embed(model.decoder.embedding, target, learned),
            expected_memory,
            tgt_mask=torch.ones(5, 5, dtype=torch.bool).triu(1),
            memory_key_padding_mask=~mask,
        )
        logits = model.decoder.output(expected)
    # Nobody reads what stands on padding.
    torch.testing.assert_close(memory.states[mask], expected_memory[mask], **CLOSE)
    torch.testing.assert_close(steps.hidden, expected, **CLOSE)
    torch.testing.assert_close(steps.logits, logits, **CLOSE)


@pytest.mark.parametrize("width", [WIDTH, 7, 1])
def test_sinusoids_are_the_papers(width):
    table = sinusoids(0, 50, width, torch.device("cpu"), "sinusoidal")
    torch.testing.assert_close(table, written_out_positions(50, width), **CLOSE)
    torch.testing.assert_close(
        sinusoids(20, 30, width, torch.device("cpu"), "sinusoidal"), table[20:30]
    )


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_positions_tell_equal_tokens_apart(positions):
    model = tiny(positions=positions)
    embedded = model.encoder.embedding(torch.full((1, 4), 5))[0]
    for first, second in itertools.combinations(embedded, 2):
        assert not torch.allclose(first, second, atol=1e-3)


def test_there_are_only_as_many_learned_positions_as_there_are():
    model = tiny(positions="learned", max_positions=6)
    memory = model.encode(torch.full((1, 6), 5))
    assert model.decoder(torch.full((1, 6), 5), memory).logits.isfinite().all()
    with pytest.raises(UserError, match="6 positions"):
        model.encode(torch.full((1, 7), 5))
    with pytest.raises(UserError, match="6 positions"):
        model.decoder(torch.full((1, 7), 5), memory)
    state = model.decoder.start(memory)
    for _ in range(6):
        state = model.decoder.step(torch.tensor([5]), state, memory).state
    with pytest.raises(UserError, match="6 positions"):
        model.decoder.step(torch.tensor([5]), state, memory)


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("record", [True, False])
def test_a_later_token_leaves_earlier_steps_as_they_were(norm_first, record):
    model = tiny(norm_first=norm_first, decoder_layers=2)
    source, target = torch.randint(1, VOCABULARY, (2, 5)), torch.randint(4, VOCABULARY, (2, 6))
    with torch.no_grad():
        memory = model.encode(source)
        before = model.decoder(target, memory, record).logits
        for changed in range(6):
            other = target.clone()
            other[:, changed] = 1
            after = model.decoder(other, memory, record).logits
            torch.testing.assert_close(after[:, :changed], before[:, :changed], **CLOSE)
            assert not torch.allclose(after[:, changed], before[:, changed], atol=1e-3)


@pytest.mark.parametrize("norm_first", [True, False])
def test_padding_changes_nothing(norm_first):
    model, lengths = tiny(norm_first=norm_first, encoder_layers=2), [3, 7, 1]
    source, target = torch.randint(1, VOCABULARY, (3, 7)), torch.randint(1, VOCABULARY, (3, 4))
    mask = torch.arange(7) < torch.tensor(lengths)[:, None]
    with torch.no_grad():
        together = model.encode(source * mask)
        logits = model.decoder(target, together).logits
        assert torch.equal(together.mask, mask)
        for row, length in enumerate(lengths):
            alone = model.encode(source[row : row + 1, :length])
            torch.testing.assert_close(together.states[row, :length], alone.states[0], **CLOSE)
            expected = model.decoder(target[row : row + 1], alone).logits
            torch.testing.assert_close(logits[row], expected[0], **CLOSE)


def test_recorded_weights_are_distributions_over_what_may_be_seen():
    model = tiny(encoder_layers=2, decoder_layers=3)
    source = torch.tensor([[5, 6, 7, 3], [5, 3, 0, 0]])
    target = torch.randint(1, VOCABULARY, (2, 5))
    with torch.no_grad():
        memory = model.encode(source, record=True)
        steps = model.decoder(target, memory, record=True)
    assert memory.weights.shape == (2, 2, HEADS, 4, 4)
    assert steps.weights.shape == (2, 5, 3, HEADS, 4)
    assert steps.self_weights.shape == (2, 5, 3, HEADS, 5)
    for weights in (memory.weights, steps.weights, steps.self_weights):
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    assert not memory.weights[1, ..., 2:].any()
    assert not steps.weights[1, ..., 2:].any()
    for step in range(5):
        assert not steps.self_weights[:, step, ..., step + 1 :].any()


def test_recording_changes_no_number():
    model = tiny(encoder_layers=2, decoder_layers=2)
    source, target = torch.randint(1, VOCABULARY, (2, 5)), torch.randint(1, VOCABULARY, (2, 6))
    with torch.no_grad():
        plain, recorded = model.encode(source), model.encode(source, record=True)
        torch.testing.assert_close(plain.states, recorded.states, **CLOSE)
        first, second = (model.decoder(target, plain, record) for record in (False, True))
    for name in ("logits", "hidden", "context"):
        torch.testing.assert_close(getattr(first, name), getattr(second, name), **CLOSE)
    assert plain.weights is None
    assert first.weights is None
    assert first.self_weights is None


def test_the_state_grows_by_one_key_a_step_and_old_ones_stay():
    model = tiny(decoder_layers=2)
    memory = model.encode(torch.randint(1, VOCABULARY, (2, 5)))
    state = model.decoder.start(memory)
    for number in range(4):
        step = model.decoder.step(torch.full((2,), 4 + number), state, memory)
        for old, new in zip(state, step.state, strict=True):
            for before, after in zip(old, new, strict=True):
                assert after.shape[2] == number + 1
                assert torch.equal(after[:, :, :number], before)
        state = step.state


def outputs(model, source, target):
    """Return the logits of a whole pass, after those of one token at a time."""
    with torch.no_grad():
        memory = model.encode(source)
        state, stepped = model.decoder.start(memory), []
        for token in target[0]:
            taken = model.decoder.step(token[None], state, memory)
            state = taken.state
            stepped.append(taken.logits[0])
        return torch.stack(stepped), model.decoder(target, memory).logits[0]


@pytest.mark.parametrize("kind", ["sinusoidal", "sinusoidal_halves", "sinusoidal_tensor2tensor"])
def test_positions_that_count_from_1_are_a_shifted_table(kind):
    source, target = torch.tensor([[5, 6, 7, 8]]), torch.tensor([[2, 9, 10]])
    model = tiny(positions=kind, first_position=1)
    # The same weights over a learned table, whose rows are those of a table one further.
    table = sinusoids(0, 9, WIDTH, torch.device("cpu"), kind)[1:]
    shifted = tiny(positions="learned", max_positions=len(table))
    shifted.load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        for part in (shifted.encoder, shifted.decoder):
            part.embedding.positions.weight.copy_(table)
    ours, expected = outputs(model, source, target), outputs(shifted, source, target)
    for found, wanted in zip(ours, expected, strict=True):
        torch.testing.assert_close(found, wanted, **CLOSE)
    counted_from_0 = tiny(positions=kind)
    counted_from_0.load_state_dict(model.state_dict())
    assert not torch.allclose(outputs(counted_from_0, source, target)[1], ours[1], atol=1e-3)


def test_a_learned_table_may_begin_later():
    model = tiny(positions="learned", max_positions=6)
    later = tiny(positions="learned", max_positions=7, first_position=1)
    weights = model.state_dict()
    for name in ("encoder.embedding.positions.weight", "decoder.embedding.positions.weight"):
        weights[name] = torch.cat([torch.full((1, WIDTH), torch.nan), weights[name]])
    later.load_state_dict(weights)
    source, target = torch.tensor([[5, 6, 7, 8]]), torch.tensor([[2, 9, 10]])
    for pair in zip(outputs(model, source, target), outputs(later, source, target), strict=True):
        torch.testing.assert_close(*pair, **CLOSE)
    assert later.config.longest == 6
    with pytest.raises(UserError, match="6 positions"):
        later.encode(torch.full((1, 7), 5))


def test_the_position_vectors_of_ctranslate2_are_tensor2tensors_from_1():
    width, found = 8, sinusoids(1, 4, 8, torch.device("cpu"), "sinusoidal_tensor2tensor")
    rates = [10_000 ** (-pair / (width // 2 - 1)) for pair in range(width // 2)]
    expected = [
        [turn(place * rate) for turn in (math.sin, math.cos) for rate in rates]
        for place in (1, 2, 3)
    ]
    torch.testing.assert_close(found, torch.tensor(expected), **CLOSE)


@pytest.mark.parametrize(
    "values",
    [
        {"positions": "relative"},
        {"positions_from": "end"},
        {"positions": "learned", "max_positions": 1},
    ],
)
def test_a_first_position_that_means_nothing_is_refused(values):
    with pytest.raises(UserError, match="first_position"):
        tiny(first_position=1, **values)


@pytest.mark.parametrize("owners", [[0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 2], [0, 1, 2]])
@pytest.mark.parametrize("changed", [False, True])
def test_hypotheses_that_share_a_source_look_as_each_with_its_own(owners, changed):
    model, owners = tiny(), torch.tensor(owners)
    source = torch.tensor([[5, 6, 7, 3], [6, 4, 3, 0], [4, 3, 0, 0]])
    tokens = torch.arange(4, 4 + len(owners))

    def change(layer, weights):
        assert weights.shape == (len(owners), HEADS, 1, 4)
        return weights.roll(1, dims=-1) if layer == 1 else weights

    with torch.inference_mode():
        memory = model.encode(source)
        state = select(
            model.decoder.prefill(source[:, :2], model.decoder.start(memory), memory), owners
        )
        edit = change if changed else None
        found, expected = (
            model.decoder.step(tokens, state, each, True, edit)
            for each in (model.decoder.share(memory, owners), select(memory, owners))
        )
    for name in ("logits", "hidden", "context", "weights", "self_weights"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), **CLOSE)
