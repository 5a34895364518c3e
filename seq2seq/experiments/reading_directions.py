"""An encoder that reads from both ends understands a word by what follows, too.

Schuster and Paliwal 1997; Bahdanau et al. 2014, section 3.2. Rule: for the claim if the model
that reads both ways has more chrF than the one that reads forward only, by the paired 95 %
interval; against it if it has less.
"""

from __future__ import annotations

from seq2seq.experiments.paired_models import compare
from seq2seq.experiments.references import Reference
from seq2seq.experiments.result import Load, OnPart, Result

# Both have read the same data.
MODELS = ("lstm-attention-en-fr", "bilstm-attention-base-en-fr")


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    models: tuple[str, ...] = MODELS,
    pairs: tuple[Reference, ...] = (),
) -> Result:
    """Translate our references with both; value: the gain in chrF."""
    return compare(load, on_part, seed, models, pairs)
