"""The gates of a recurrent model over a whole text, unit by time, in encoder and decoder.

Computed anew with the model's own cells; a run does not keep them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from seq2seq.analysis.step_internals import Encoded, recorded_step
from seq2seq.checkpoint import Checkpoint
from seq2seq.errors import UserError
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.models.recurrent import GATES, CellStep, RecurrentDecoder, RecurrentEncoder


@dataclass(frozen=True, eq=False)
class GateHistory:
    """Gates and states of one recurrent layer after each step, all (steps, width).

    gates: by the names of seq2seq.models.recurrent.GATES. states: h_t or s_t, and C_t of an LSTM.
    both_ways: the first half of the width reads forward, the second backward.
    """

    gates: dict[str, np.ndarray]
    states: tuple[np.ndarray, ...]
    both_ways: bool = False


@torch.inference_mode()
def encoder_gates(checkpoint: Checkpoint, encoded: Encoded) -> tuple[GateHistory, ...]:
    """Follow the encoder over its source; returns each layer, from the lowest.

    Raises UserError for a model without recurrent layers that reads text.
    """
    encoder = checkpoint.searcher.encoder
    if not isinstance(encoder, RecurrentEncoder):
        raise UserError("This model's encoder has no gates: choose a recurrent model of text.")
    source = encoded.source.batch(checkpoint.device)
    layers = encoder.stack.steps_over(encoder.embedding(source)[0])
    both_ways = encoder.stack.directions == 2
    return tuple(
        replace(_history(encoder.stack.kind, [turn]), both_ways=both_ways) for turn in layers
    )


@torch.inference_mode()
def decoder_gates(
    checkpoint: Checkpoint, encoded: Encoded, tokens: Sequence[int]
) -> tuple[GateHistory, ...]:
    """Follow the decoder over an output; returns each layer, from the lowest.

    tokens: of the output, as in a Trace; each step reads the one before. Raises UserError for a
    model without recurrent layers.
    """
    decoder, memory = checkpoint.searcher.decoder, encoded.memory
    if not isinstance(decoder, RecurrentDecoder):
        raise UserError("This model's decoder has no gates: choose a recurrent model.")
    start = decoder_prompt(checkpoint, encoded.options).start
    read = torch.tensor([[*start, *tokens[:-1]]], device=memory.states.device)
    steps, state = list[list[CellStep]](), decoder.start(memory)
    for token in read.unbind(1):
        step, cell_steps = recorded_step(decoder, token, state, memory)
        steps.append(cell_steps)
        state = step.state
    by_layer = zip(*steps[len(start) - 1 :], strict=True)
    return tuple(_history(decoder.stack.kind, layer) for layer in by_layer)


def _history(kind: str, cell_steps: Sequence[CellStep]) -> GateHistory:
    gates = [torch.cat(parts) for parts in zip(*(turn.gates for turn in cell_steps), strict=True)]
    states = [torch.cat(parts) for parts in zip(*(turn.state for turn in cell_steps), strict=True)]
    named = zip(GATES[kind], map(_numbers, gates), strict=True)
    return GateHistory(dict(named), tuple(map(_numbers, states)))


def _numbers(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
