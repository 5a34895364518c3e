"""The textbook's encoder-decoder: two LSTMs of 128 on vectors of 256, a softmax of 10,000."""

import keras
import numpy as np
import pytest
import torch

from seq2seq.models.config import RecurrentConfig
from seq2seq.models.seq2seq import build

VOCABULARY, EMBEDDING, WIDTH = 10_000, 256, 128
CLOSE = {"atol": 1e-5, "rtol": 0}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = RecurrentConfig(
        VOCABULARY,
        width=WIDTH,
        embedding=EMBEDDING,
        cell="lstm",
        attention="none",
        feeds="token",
        tied=False,
        shared=False,
    )
    model = build(config).eval()
    # Larger than fresh ones, so that the probabilities are far from even.
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
        model.decoder.output.weight.mul_(6)
    return model


@pytest.fixture(scope="module")
def twin(model):
    """Build the same in Keras; it reads vectors where ours reads token ids."""
    source = keras.Input((None, EMBEDDING))
    encoder = keras.layers.LSTM(WIDTH, return_state=True)
    _, *state = encoder(source)
    target = keras.Input((None, EMBEDDING))
    decoder = keras.layers.LSTM(WIDTH, return_sequences=True, return_state=True)
    outputs, *_ = decoder(target, initial_state=state)
    softmax = keras.layers.Dense(VOCABULARY, activation="softmax")
    twin = keras.Model([source, target], [*state, softmax(outputs)])
    copy_lstm(model.encoder.stack.sequence, encoder)
    copy_lstm(model.decoder.stack.sequence, decoder)
    output = model.decoder.output
    softmax.set_weights([output.weight.detach().numpy().T, output.bias.detach().numpy()])
    return twin


def copy_lstm(ours, theirs):
    """Both order the gates input, forget, candidate, output; torch has a second bias."""
    parts = ours.weight_ih_l0.T, ours.weight_hh_l0.T, ours.bias_ih_l0 + ours.bias_hh_l0
    theirs.set_weights([part.detach().numpy() for part in parts])


def as_array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_the_referee_runs_on_torch():
    assert keras.backend.backend() == "torch"


@pytest.mark.parametrize(("rows", "source_length", "target_length"), [(3, 6, 5), (1, 1, 1)])
def test_states_and_probabilities_equal_keras(model, twin, rows, source_length, target_length):
    source = torch.randint(4, VOCABULARY, (rows, source_length))
    target = torch.randint(4, VOCABULARY, (rows, target_length))
    with torch.no_grad():
        memory = model.encode(source)
        ours = model.decoder(target, memory).logits.softmax(-1).numpy()
        vectors = [model.encoder.embedding(source), model.decoder.embedding(target)]
        hidden, cell, theirs = map(as_array, twin([vector.numpy() for vector in vectors]))
    np.testing.assert_allclose(memory.final[0][:, 0].numpy(), hidden, **CLOSE)
    np.testing.assert_allclose(memory.final[1][:, 0].numpy(), cell, **CLOSE)
    np.testing.assert_allclose(ours, theirs, **CLOSE)
    assert ours.max() > 0.01  # a hundred times an even chance: the comparison says something


def test_step_by_step_probabilities_equal_keras(model, twin):
    source, target = torch.randint(4, VOCABULARY, (2, 4)), torch.randint(4, VOCABULARY, (2, 6))
    with torch.no_grad():
        memory = model.encode(source)
        state, ours = model.decoder.start(memory), []
        for tokens in target.T:
            step = model.decoder.step(tokens, state, memory)
            state = step.state
            ours.append(step.logits.softmax(-1))
        vectors = [model.encoder.embedding(source), model.decoder.embedding(target)]
        theirs = as_array(twin([vector.numpy() for vector in vectors])[2])
    np.testing.assert_allclose(torch.stack(ours, dim=1).numpy(), theirs, **CLOSE)
