"""The one vector by which a decoder without attention knows its source: changed, and decoded.

That vector is all that the decoder starts from: h of every recurrent layer, and c of an LSTM, side
by side. Changes are pure functions of arrays; what they give is passed to the search in a memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seq2seq.analysis.probe_sentences import probes
from seq2seq.analysis.projection import Projection, fit
from seq2seq.analysis.sentence_vectors import WHOLE, sentence_vectors
from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import OnStep
from seq2seq.errors import UserError
from seq2seq.inference.generated import to_text
from seq2seq.inference.generation import decode_memory
from seq2seq.inference.inputs import prepare
from seq2seq.models.config import Config
from seq2seq.models.protocol import select

FORWARD, BACKWARD = "forward", "backward"
FITTED = 400  # sentences whose principal directions are found


@dataclass(frozen=True, eq=False)
class Whole:
    """The vector of a sentence. numbers: (size,), float32. length: tokens of the source."""

    numbers: np.ndarray
    length: int


@dataclass(frozen=True)
class Outcome:
    """What was decoded from a vector. log_probability: of the whole output."""

    text: str
    tokens: tuple[int, ...]
    log_probability: float
    finished: bool


def whole(checkpoint: Checkpoint, text: str, options: Options | None = None) -> Whole:
    """Return the vector of a text. Raises UserError for a text without anything to read.

    Raises ValueError for a model whose encoder has no final state.
    """
    options = options or checkpoint.generation_config.options
    numbers = sentence_vectors(checkpoint, [text], WHOLE, options)[0]
    return Whole(numbers, len(prepare(checkpoint, text, options).ids))


def principal(checkpoint: Checkpoint) -> Projection:
    """Find the principal directions of the vectors of sentences whose grammar is known."""
    texts = [probe.text for probe in probes(FITTED)]
    vectors = sentence_vectors(checkpoint, texts, WHOLE)
    return fit(vectors, kept=min(vectors.shape))


def top_layer(vector: np.ndarray, config: Config) -> np.ndarray:
    """Return h of the top layer, (..., width), of vectors (..., size)."""
    _, layers, width = config.final_state_shape
    return vector[..., (layers - 1) * width : layers * width]


def mix(parts: Sequence[tuple[float, Whole]]) -> Whole:
    """Add vectors, each times its weight: (1 - a) A + a B interpolates, A - B + C is arithmetic.

    What may be written is limited as for the mean of the sources' lengths, by the size of the
    weights.
    """
    total = sum(abs(weight) for weight, _ in parts)
    numbers = sum(np.float32(weight) * part.numbers for weight, part in parts)
    length = sum(abs(weight) * part.length for weight, part in parts) / total
    return Whole(np.asarray(numbers, dtype=np.float32), max(1, round(length)))


def with_noise(vector: Whole, size: float, seed: int, width: int) -> Whole:
    """Add Gaussian noise whose length is `size` times the vector's own, in every part of it.

    A part is h or c of one layer, (width,): c of an LSTM is much longer than its h.
    """
    parts = vector.numbers.reshape(-1, width)
    noise = np.random.default_rng(seed).standard_normal(parts.shape).astype(np.float32)
    lengths = np.linalg.norm(parts, axis=1) / np.linalg.norm(noise, axis=1)
    changed = parts + np.float32(size) * noise * lengths[:, None]
    return Whole(changed.ravel(), vector.length)


def keep_directions(vector: Whole, found: Projection, count: int) -> Whole:
    """Keep what the first `count` principal directions tell of a vector: 0 leaves the mean."""
    points = found.points(vector.numbers)
    points[count:] = 0
    return Whole(found.vectors(points).astype(np.float32), vector.length)


def kept_share(vector: Whole, found: Projection, count: int) -> float:
    """Return how much of a vector's squared distance to the mean its first directions hold."""
    away = vector.numbers.astype(np.float64) - found.mean
    points = found.points(vector.numbers)[:count]
    return float(points @ points / max(away @ away, 1e-12))


def without_half(vector: Whole, half: str, width: int) -> Whole:
    """Set the units of one reading direction to 0; half: FORWARD, BACKWARD or "" for neither."""
    parts = vector.numbers.reshape(-1, 2, width // 2).copy()
    if half:
        parts[:, (FORWARD, BACKWARD).index(half)] = 0
    return Whole(parts.ravel(), vector.length)


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    """Return the cosine between two vectors, 0 where one has no length."""
    lengths = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / lengths if lengths else 0.0


@torch.inference_mode()
def decode(
    checkpoint: Checkpoint,
    text: str,
    vectors: Sequence[Whole],
    options: Options | None = None,
    on_step: OnStep | None = None,
) -> tuple[Outcome, ...]:
    """Decode a text with each of some vectors in place of its own.

    A decoder without attention has nothing else; one with attention still looks at the text's own
    encoder states. on_step is called after every decoder step. Raises UserError for a text without
    anything to read, or a model whose encoder has no final state.
    """
    config = checkpoint.model.config
    if not config.has_final_state:
        raise UserError("A Transformer has no final state to change: choose a recurrent model.")
    options = options or checkpoint.generation_config.options
    source = prepare(checkpoint, text, options)
    memory = checkpoint.searcher.encode(source.batch(checkpoint.device))
    rows = torch.zeros(len(vectors), dtype=torch.long, device=checkpoint.device)
    numbers = torch.from_numpy(np.stack([vector.numbers for vector in vectors]))
    state = _state(numbers.to(memory.states), config)
    memory = select(memory, rows)._replace(final=state)
    lengths = [vector.length for vector in vectors]
    found = decode_memory(checkpoint, memory, options, lengths, on_step)
    return tuple(
        Outcome(
            to_text(checkpoint, each, source.typed),
            each.hypotheses[0].tokens,
            sum(each.hypotheses[0].log_probabilities),
            each.hypotheses[0].finished,
        )
        for each in found
    )


def _state(numbers: Tensor, config: Config) -> tuple[Tensor, ...]:
    """Return vectors (rows, size) as the final state of an encoder, parts (rows, layers, width)."""
    parts = numbers.unflatten(1, config.final_state_shape)
    return parts.unbind(1)
