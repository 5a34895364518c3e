"""What a training will take, computed before anything of it is there; and giving memory back."""

from __future__ import annotations

import ctypes
from contextlib import suppress

from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build_empty

PROCESS = 400  # MB of a process that has torch loaded
# Numbers of four bytes for each weight: itself, its gradient, two means of Adam, a running average.
COPIES = 5
STATES = 40  # vectors of a layer's width that are kept for a token until the gradient is there


def parameter_count(config: Config) -> int:
    """Count the weights of a model that is not built."""
    return build_empty(config).parameter_count()


def needed_megabytes(config: Config, batch_tokens: int, longest: int) -> float:
    """Return about how much a training takes.

    longest: tokens of the longest source or target.
    """
    layers = config.encoder_layers + config.decoder_layers
    weights = COPIES * parameter_count(config)
    states = STATES * batch_tokens * config.width * layers
    scores = 4 * batch_tokens * config.vocabulary
    _, heads = config.cross_attention_shape
    looks = 6 * batch_tokens * longest * heads * layers
    if config.attention_kind == "additive":
        looks += 3 * batch_tokens * longest * config.width
    return PROCESS + 4 * (weights + states + scores + looks) / 1e6


def give_back() -> None:
    """Return freed memory to the system, where the C library can.

    Told to keep what is freed, as trainings tell it for speed, glibc keeps the gaps between batches
    of ever other shapes too: one with 3 GB after two minutes had 7 after forty.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
