"""Attention mitigates what one fixed vector loses of long sentences.

Bahdanau et al. 2014, section 5.2. Rule: for the claim if, on the longest group of sentences, the
same cell with attention has more chrF than without, by the paired 95 % interval; against it if it
has less.
"""

from __future__ import annotations

from seq2seq.experiments.paired_models import Held, compare
from seq2seq.experiments.references import LENGTHS, Reference, references, some
from seq2seq.experiments.result import Load, OnPart, Result

# The two that are held against each other have read the same data and differ in attention alone.
WITHOUT, WITH = "lstm-vanilla-en-fr", "lstm-attention-en-fr"
MODELS = (
    "rnn-vanilla-en-fr",
    WITHOUT,
    WITH,
    "bigru-additive-en-fr",
    "transformer-en-fr",
)


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    sentences: int = 60,
    models: tuple[str, ...] = MODELS,
    held: tuple[str, str] = (WITHOUT, WITH),
    pairs: tuple[Reference, ...] = (),
) -> Result:
    """Translate references with all; value: the gain in chrF on the longest sentences."""
    drawn = some(pairs or references(), sentences, seed)
    return compare(load, on_part, seed, models, drawn, Held(*held, (len(LENGTHS) - 1,)))
