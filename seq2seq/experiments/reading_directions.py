"""An encoder that reads from both ends understands a word by what follows, too.

Schuster and Paliwal 1997; Bahdanau et al. 2014, section 3.2. Rule: for the claim if the model
that reads both ways has more chrF than the one that reads forward only, by the paired 95 %
interval; against it if it has less. Beside it, what each half is worth (direction_halves.py) and
whether a state knows what follows its word (following_context.py).
"""

from __future__ import annotations

from dataclasses import replace

from seq2seq.experiments import direction_halves, following_context
from seq2seq.experiments.paired_models import Held, compare
from seq2seq.experiments.references import Reference, references
from seq2seq.experiments.result import Load, OnPart, Partial, Result

# Both have read the same data.
FORWARD, BOTH = "lstm-attention-en-fr", "bilstm-attention-base-en-fr"


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    models: tuple[str, str] = (FORWARD, BOTH),
    pairs: tuple[Reference, ...] = (),
) -> Result:
    """Translate our references with both; value: the gain in chrF."""
    pairs = pairs or references()

    def part(number: int) -> OnPart:
        def on_one(done: int, total: int, partial: Partial | None = None, /) -> object:
            return on_part(round(100 * (number + done / max(1, total))), 300, partial)

        return on_one

    found = compare(load, part(0), seed, models, pairs, Held(*models))
    halves = direction_halves.run(load, part(1), seed, models[1], pairs)
    probed = following_context.run(load, part(2), seed, models)
    seconds = sum(each.seconds for each in (found, halves, probed))
    return replace(found, also=(halves, probed), seconds=seconds)
