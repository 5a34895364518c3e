import pytest
import torch
from torch import nn

from seq2seq.models.recurrent import CELLS, RecurrentEncoder, Stack

CLOSE = {"atol": 1e-5, "rtol": 0}
FUSED = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
every_cell = pytest.mark.parametrize("cell", CELLS)


def random_state(stack, rows):
    return tuple(torch.randn(rows, stack.layers, stack.width) for _ in range(stack.parts))


def run_by_step(stack, inputs, state):
    outputs = []
    for each in inputs.unbind(1):
        hidden, state = stack.step(each, state)
        outputs.append(hidden)
    return torch.stack(outputs, dim=1), state


def close(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


@every_cell
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_written_out_cells_equal_torch(cell, layers):
    reference = FUSED[cell](5, 7, layers, batch_first=True)
    stack = Stack(cell, 5, 7, layers)
    stack.sequence.load_state_dict(reference.state_dict())
    inputs, state = torch.randn(3, 6, 5), random_state(stack, 3)
    layers_first = tuple(part.transpose(0, 1).contiguous() for part in state)
    expected, final = reference(inputs, layers_first if cell == "lstm" else layers_first[0])
    final = final if cell == "lstm" else (final,)
    outputs, last = run_by_step(stack, inputs, state)
    torch.testing.assert_close(outputs, expected, **CLOSE)
    close([part.transpose(0, 1) for part in last], final)


@every_cell
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("training", [False, True])
def test_step_equals_forward(cell, layers, training):
    stack = Stack(cell, 5, 8, layers).train(training)
    inputs, state = torch.randn(4, 6, 5), random_state(stack, 4)
    outputs, final = stack(inputs, state)
    stepped, last = run_by_step(stack, inputs, state)
    torch.testing.assert_close(stepped, outputs, **CLOSE)
    close(last, final)


@every_cell
@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_between_layers_is_the_same_for_steps_and_sequences(cell, layers):
    stack = Stack(cell, 5, 8, layers, dropout=0.999999)
    inputs, state = torch.randn(2, 6, 5), stack.zeros(torch.zeros(2, 1))
    # Nothing passes a dropout of nearly 1: the top layer of two sees zeros, that of one the inputs.
    outputs, stepped = stack(inputs, state)[0], run_by_step(stack, inputs, state)[0]
    torch.testing.assert_close(outputs, stepped, **CLOSE)
    silent = stack(torch.randn(2, 6, 5), state)[0]
    assert torch.equal(silent, outputs) == (layers == 2)


@every_cell
@pytest.mark.parametrize("layers", [1, 2])
def test_bidirectional_equals_torch(cell, layers):
    reference = FUSED[cell](5, 4, layers, batch_first=True, bidirectional=True)
    stack = Stack(cell, 5, 8, layers, bidirectional=True)
    stack.sequence.load_state_dict(reference.state_dict())
    inputs, state = torch.randn(3, 6, 5), random_state(stack, 3)
    # torch orders its states layer by layer, forward before backward.
    given = tuple(
        torch.stack([half for i in range(layers) for half in part[:, i].chunk(2, dim=-1)])
        for part in state
    )
    expected, final = reference(inputs, given if cell == "lstm" else given[0])
    final = final if cell == "lstm" else (final,)
    outputs, last = stack(inputs, state)
    torch.testing.assert_close(outputs, expected, **CLOSE)
    for part, whole in zip(last, final, strict=True):
        for layer in range(layers):
            halves = part[:, layer].chunk(2, dim=-1)
            close(halves, [whole[2 * layer], whole[2 * layer + 1]])


@every_cell
@pytest.mark.parametrize("layers", [1, 2])
def test_final_state_of_the_backward_half_is_that_of_the_first_token(cell, layers):
    stack = Stack(cell, 5, 8, layers, bidirectional=True)
    inputs, lengths = torch.randn(3, 6, 5), torch.tensor([6, 2, 4])
    for given in (None, lengths):
        outputs, final = stack(inputs, stack.zeros(inputs), given)
        forward, backward = final[0][:, -1].chunk(2, dim=-1)
        torch.testing.assert_close(backward, outputs[:, 0, 4:])
        last = outputs[torch.arange(3), (lengths if given is not None else 6) - 1]
        torch.testing.assert_close(forward, last[:, :4])


@every_cell
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_padding_changes_nothing(cell, bidirectional, layers):
    stack = Stack(cell, 5, 8, layers, bidirectional=bidirectional)
    encoder = RecurrentEncoder(nn.Embedding(11, 5), stack).eval()
    lengths = [3, 7, 1, 5]
    source = torch.randint(1, 11, (4, 7))
    mask = torch.arange(7) < torch.tensor(lengths)[:, None]
    together = encoder(source * mask, mask)
    assert torch.equal(together.mask, mask)
    for row, length in enumerate(lengths):
        alone = encoder(source[row : row + 1, :length], mask[row : row + 1, :length])
        torch.testing.assert_close(together.states[row, :length], alone.states[0], **CLOSE)
        assert (together.states[row, length:] == 0).all()
        close([part[row : row + 1] for part in together.final], alone.final)


@every_cell
def test_what_stands_on_padding_is_not_read(cell):
    encoder = RecurrentEncoder(nn.Embedding(11, 5), Stack(cell, 5, 8, 1, bidirectional=True))
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    first, second = torch.randint(1, 11, (2, 5)), torch.randint(1, 11, (2, 5))
    second[mask] = first[mask]
    one, other = encoder(first, mask), encoder(second, mask)
    assert torch.equal(one.states, other.states)
    assert all(map(torch.equal, one.final, other.final))


@every_cell
def test_states_start_at_zero_with_one_part_more_for_lstm(cell):
    stack = Stack(cell, 5, 8, 3)
    zeros = stack.zeros(torch.zeros(2, 1))
    assert len(zeros) == (2 if cell == "lstm" else 1)
    assert all(part.shape == (2, 3, 8) and not part.any() for part in zeros)
