"""All steps of one output with the numbers that its formulas are written with.

A run keeps its states in sixteen bits and no logits: this is one more teacher-forced pass over it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import Audio
from seq2seq.decoding.options import Options
from seq2seq.inference.decode import detect_language
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.inputs import Source, prepare
from seq2seq.inference.record import teach
from seq2seq.models.audio_encoder import AudioEncoder
from seq2seq.models.protocol import Memory, Steps
from seq2seq.models.quantization import as_read
from seq2seq.models.recurrent import RecurrentDecoder
from seq2seq.models.seq2seq import Seq2Seq
from seq2seq.models.transformer import TransformerDecoder
from seq2seq.trace import Trace


@dataclass(frozen=True, eq=False)
class RunInternals:
    """What every step of an output was made of; arrays are float32.

    source_vectors: (source, embedding), what the encoder reads, x_j. encoder_states: (source,
    width), h_j. inputs: (target, embedding), what the decoder reads, the embedding of y_{t-1}.
    start: (width,), s_0 of the top layer, None for a Transformer.
    states, contexts: (target, width), s_t and c_t. readouts: (target, readout), what the output
    layer reads, r_t.
    scores, weights: (target, source), e_tj and α_tj of a recurrent model with attention, else None.
    logits: (target, k), of the tokens in the run's alternatives. chosen_logits, log_sums:
    (target,), of the chosen token, and log Σ exp over the vocabulary.
    written: (target,), of a model that copies, the probability of the chosen token by the
    vocabulary alone, else None; the logits of such a model are logarithms of probabilities.
    frames: (frames, bins), of a recording, what the encoder hears, else None; heard: how many of
    them are the recording, before the silence that follows it.
    """

    source_vectors: np.ndarray
    encoder_states: np.ndarray
    inputs: np.ndarray
    start: np.ndarray | None
    states: np.ndarray
    contexts: np.ndarray
    readouts: np.ndarray
    scores: np.ndarray | None
    weights: np.ndarray | None
    logits: np.ndarray
    chosen_logits: np.ndarray
    log_sums: np.ndarray
    written: np.ndarray | None = None
    frames: np.ndarray | None = None
    heard: int = 0


class _Made(NamedTuple):
    """What depends on the kind of decoder; (1, target, ...) but for start, (1, width)."""

    readouts: Tensor
    start: Tensor | None = None
    scores: Tensor | None = None
    vocabulary: Tensor | None = None


@torch.inference_mode()
def run_internals(
    checkpoint: Checkpoint, source: str | Audio, trace: Trace, options: Options | None = None
) -> RunInternals:
    """Follow the output of a trace once more, with its interventions.

    options: those that the run was made with, None for the trace's. Raises UserError as run does.
    """
    options = options or trace.options
    model, device = checkpoint.searcher, checkpoint.device
    given = prepare(checkpoint, source, options)
    memory = trace.interventions.encode(model, given.batch(device))
    prompt = decoder_prompt(checkpoint, detect_language(checkpoint, memory, options))
    target = torch.tensor([prompt.before(trace.target.ids)], device=device)
    steps = teach(model.decoder, target, memory, trace.interventions, prompt.steps)
    made = _made(model, memory, steps)
    first, heard = prompt.steps, len(given.ids)
    logits = steps.logits[0, first:].float()
    alternatives = torch.tensor(trace.alternatives.ids, device=device)
    chosen = torch.tensor([trace.target.ids], device=device).T
    written = None if made.vocabulary is None else made.vocabulary[0, first:].softmax(-1)
    return RunInternals(
        source_vectors=_numbers(_source_vectors(model, given, device)[0, :heard]),
        encoder_states=_numbers(memory.states[0, :heard]),
        inputs=_numbers(model.decoder.embedding(target)[0, first:]),
        start=None if made.start is None else _numbers(made.start[0]),
        states=_numbers(steps.hidden[0, first:]),
        contexts=_numbers(steps.context[0, first:]),
        readouts=_numbers(as_read(model.decoder.output, made.readouts)[0, first:]),
        scores=None if made.scores is None else _numbers(made.scores[0, first:]),
        weights=None if made.scores is None else _weights(steps, first),
        logits=_numbers(logits.gather(1, alternatives)),
        chosen_logits=_numbers(logits.gather(1, chosen)[:, 0]),
        log_sums=_numbers(logits.logsumexp(dim=1)),
        written=None if written is None else _numbers(written.gather(1, chosen)[:, 0]),
        frames=None if given.frames is None else given.frames.float().cpu().numpy(),
        heard=heard * model.config.stride,
    )


def _made(model: Seq2Seq, memory: Memory, steps: Steps) -> _Made:
    decoder = model.decoder
    if isinstance(decoder, TransformerDecoder):
        return _Made(steps.hidden * decoder.output_scale)
    start = decoder.start(memory)[0][0][:, -1]
    if decoder.attention is None:
        return _Made(decoder.combine(steps.hidden), start)
    readouts = torch.tanh(decoder.combine(torch.cat([steps.hidden, steps.context], dim=-1)))
    vocabulary = decoder.output(readouts).float() if decoder.switch is not None else None
    return _Made(readouts, start, _scores(decoder, memory, steps, start), vocabulary)


def _scores(decoder: RecurrentDecoder, memory: Memory, steps: Steps, start: Tensor) -> Tensor:
    """Score the source (1, target, source) as each step does."""
    assert decoder.attention is not None
    queries = steps.hidden
    if decoder.feeds == "context":  # what feeds the cell is looked for with the state before
        queries = torch.cat([start.unsqueeze(1), queries[:, :-1]], dim=1)
    return decoder.attention.scores(queries, memory.keys)


def _weights(steps: Steps, first: int) -> np.ndarray:
    assert steps.weights is not None
    return _numbers(steps.weights[0, first:, 0, 0])


def _source_vectors(model: Seq2Seq, given: Source, device: torch.device) -> Tensor:
    """Return what the encoder's first layer reads, (1, positions, width)."""
    batch, encoder = given.batch(device), model.encoder
    if isinstance(encoder, AudioEncoder):
        mask = batch.new_ones(batch.shape[:2]).bool()
        return encoder.front(batch, mask)[0]
    embedding = cast(Callable[[Tensor], Tensor], encoder.embedding)
    return embedding(batch)


def _numbers(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
