"""Attention mitigates what one fixed vector loses of long sentences.

Bahdanau et al. 2014, section 5.2. Rule: for the claim if, on the longest group of sentences, the
same cell with attention has more chrF than without, by the paired 95 % interval; against it if it
has less.
"""

from __future__ import annotations

from seq2seq.experiments.paired_models import compare
from seq2seq.experiments.references import LENGTHS, Reference
from seq2seq.experiments.result import Load, OnPart, Result

MODELS = ("lstm-vanilla-en-fr", "lstm-attention-en-fr")


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    models: tuple[str, ...] = MODELS,
    pairs: tuple[Reference, ...] = (),
) -> Result:
    """Translate our references with both; value: the gain in chrF on the longest sentences."""
    return compare(load, on_part, seed, models, pairs, (len(LENGTHS) - 1,))
