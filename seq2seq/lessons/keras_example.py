"""The textbook's program in Keras, and the same model of ours: shapes and weights, by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import nn

    from seq2seq.models.seq2seq import Seq2Seq

VOCABULARY, VECTOR, UNITS = 10_000, 256, 128

PROGRAM = f"""\
encoder_inputs = keras.Input((None, {VECTOR}))
_, state_h, state_c = keras.layers.LSTM({UNITS}, return_state=True)(encoder_inputs)

decoder_inputs = keras.Input((None, {VECTOR}))
decoder = keras.layers.LSTM({UNITS}, return_sequences=True)
states = decoder(decoder_inputs, initial_state=[state_h, state_c])
outputs = keras.layers.Dense({VOCABULARY:_}, activation="softmax")(states)

model = keras.Model([encoder_inputs, decoder_inputs], outputs)
model.compile(optimizer="adam", loss="categorical_crossentropy")
"""


class Layer(NamedTuple):
    """keras, ours: counts of weights. why: what makes them differ, "" where they do not."""

    name: str
    output: str
    formula: str
    keras: int
    ours: int
    why: str = ""


def lstm_weights(reads: int, units: int, biases: int = 1) -> int:
    """Count the weights of an LSTM: four gates, each with W (units, reads), U and b."""
    return 4 * units * (reads + units + biases)


def our_model() -> Seq2Seq:
    """Build the same model of ours, without memory for its weights."""
    from seq2seq.models.config import RecurrentConfig
    from seq2seq.models.seq2seq import build_empty

    return build_empty(
        RecurrentConfig(
            VOCABULARY, width=UNITS, embedding=VECTOR, cell="lstm", tied=False, shared=False,
            feeds="token",
        )
    )  # fmt: skip


def layers() -> tuple[Layer, ...]:
    """Return the layers of both, ours counted on the model that is built."""
    from seq2seq.models.recurrent import RecurrentDecoder, RecurrentEncoder

    model, lstm = our_model(), lstm_weights(VECTOR, UNITS)
    encoder, decoder = model.encoder, model.decoder
    assert isinstance(encoder, RecurrentEncoder)
    assert isinstance(decoder, RecurrentDecoder)
    gates = f"4 · {UNITS} · ({VECTOR} + {UNITS} + 1)"
    second = f"torch keeps two biases, of which only the sum counts: {4 * UNITS} more"
    embedding = "the program reads vectors, and leaves out where they come from"
    return (
        Layer(
            "Embedding of the source", f"T × {VECTOR}", f"{VOCABULARY:,} · {VECTOR}", 0,
            _count(encoder.embedding), embedding,
        ),
        Layer(
            "LSTM, encoder", f"{UNITS} (h), {UNITS} (C)", gates, lstm,
            _count(encoder.stack.sequence), second,
        ),
        Layer(
            "Embedding of the target", f"t × {VECTOR}", f"{VOCABULARY:,} · {VECTOR}", 0,
            _count(decoder.embedding), embedding,
        ),
        Layer(
            "LSTM, decoder", f"t × {UNITS}", gates, lstm,
            _count(decoder.stack.sequence), second,
        ),
        Layer(
            "Dense with softmax", f"t × {VOCABULARY:,}", f"({UNITS} + 1) · {VOCABULARY:,}",
            (UNITS + 1) * VOCABULARY, _count(decoder.output),
        ),
    )  # fmt: skip


def _count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())
