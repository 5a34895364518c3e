"""Gates over a whole text: those of single steps, one after the other."""

import numpy as np
import pytest

from seq2seq.analysis.gate_history import decoder_gates, encoder_gates
from seq2seq.analysis.step_internals import encode, step_internals
from seq2seq.checkpoint import Checkpoint, load
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.pipeline import run
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build

TEXT = "The old dog sleeps in the garden."
KINDS = {
    "rnn": {"cell": "rnn", "attention": "none", "feeds": "context"},
    "gru": {"cell": "gru", "attention": "dot", "feeds": "readout", "decoder_layers": 2},
    "lstm": {
        "cell": "lstm",
        "attention": "additive",
        "feeds": "context",
        "bidirectional": True,
        "encoder_layers": 2,
        "decoder_layers": 2,
    },
}


@pytest.fixture(params=KINDS)
def model(request, tokenizer, checkpoint_root):
    settings = {"vocabulary": len(tokenizer), "width": 16, **KINDS[request.param]}
    card = load(checkpoint_root / "transformer").card
    return Checkpoint(build(Config.from_dict(settings)), tokenizer, card)


def test_the_decoder_has_the_gates_of_every_step(model):
    trace = run(model, TEXT, Options(max_length=5, min_length=4))
    encoded = encode(model, TEXT, trace.options)
    layers = decoder_gates(model, encoded, trace.target.ids)
    for step in range(len(trace.target)):
        found = step_internals(model, encoded, trace.target.ids, step)
        for layer, cell in zip(layers, found.cells, strict=True):
            for name, gate in cell.gates.items():
                np.testing.assert_allclose(layer.gates[name][step], gate, atol=1e-5)
            for states, after in zip(layer.states, cell.after, strict=True):
                np.testing.assert_allclose(states[step], after, atol=1e-5)


def test_the_encoder_ends_where_its_run_does(model):
    encoded = encode(model, TEXT)
    layers = encoder_gates(model, encoded)
    assert len(layers) == model.model.config.encoder_layers
    states = encoded.memory.states[0].numpy()
    np.testing.assert_allclose(layers[-1].states[0], states, atol=1e-5)
    assert layers[0].both_ways == (model.model.config.directions == 2)
    for gate in layers[0].gates.values():
        assert gate.shape == (len(encoded.source.ids), 16)


def test_a_transformer_has_no_gates(checkpoint_root):
    checkpoint = load(checkpoint_root / "transformer")
    encoded = encode(checkpoint, TEXT)
    with pytest.raises(UserError, match="no gates"):
        encoder_gates(checkpoint, encoded)
    with pytest.raises(UserError, match="no gates"):
        decoder_gates(checkpoint, encoded, [2])
