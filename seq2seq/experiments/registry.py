"""The experiments by name; each is imported when it is run."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from seq2seq.errors import UserError
from seq2seq.experiments.result import Load, OnPart, Result

# The textbook's claims, in the order of the course.
CLAIMS = {
    "variable-length": "variable_length",
    "effective": "effectiveness",
    "both-directions": "reading_directions",
    "context-kept": "context_kept",
    "many-domains": "domains",
    "attention-helps": "attention_gain",
    "end-to-end": "end_to_end",
    "bottleneck": "bottleneck",
    "training-cost": "training_cost",
    "data-needs": "data_needs",
    "long-dependencies": "long_dependencies",
    "latency": "latency",
    "overfitting": "overfitting",
}
# What lessons without a claim measure.
NAMES = CLAIMS | {
    "teacher-forcing": "exposure_bias",
    "keras-example": "context_paths",
    "model-names": "halves",
}


def run_experiment(
    name: str, load: Load, on_part: OnPart, seed: int = 0, **settings: Any
) -> Result:
    """Run an experiment by its name. Raises UserError for a name that there is not."""
    if name not in NAMES:
        raise UserError(f"There is no experiment {name[:40]!r}: choose one of {', '.join(NAMES)}.")
    module = import_module(f"seq2seq.experiments.{NAMES[name]}")
    result: Result = module.run(load, on_part, seed, **settings)
    return result
