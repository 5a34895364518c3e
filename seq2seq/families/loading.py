"""A folder of somebody else's model, as a model of ours."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from seq2seq.errors import TooLargeError
from seq2seq.families.configs import Values, read_config
from seq2seq.families.weights import Stored, read_weights, separate_matrices
from seq2seq.machine import free_memory
from seq2seq.models.seq2seq import Seq2Seq, build_empty, tie


def read_model(folder: Path, values: Values, dtype: torch.dtype = torch.float32) -> Seq2Seq:
    """Read the model that the parsed config.json `values` describes; weights take no gradient.

    Raises UserError for what is unknown, damaged, or too large for this machine's free memory.
    """
    return with_weights(folder, values, dtype)


def with_weights(stored: Stored, values: Values, dtype: torch.dtype = torch.float32) -> Seq2Seq:
    """Build the model that `values` describe, with the weights of a folder or of a loaded model.

    Those in memory are shared where they are of this type and lie as torch's kernels want them,
    else copied. Raises UserError as `read_model` does.
    """
    family, config = values["model_type"], read_config(values)
    separate: dict[str, Any] = dict(separate_matrices(stored, family))
    config = dataclasses.replace(config, **separate)
    model = build_empty(config)
    if isinstance(stored, Path):
        require_memory(model, dtype)
    model.load_state_dict(read_weights(stored, model, family, dtype), strict=False, assign=True)
    tie(model)
    return model.requires_grad_(False).eval()


def require_memory(model: Seq2Seq, dtype: torch.dtype) -> None:
    """Refuse a model that would not fit: a config can claim any size. Raises UserError."""
    needed, free = model.parameter_count() * dtype.itemsize, free_memory()
    if needed > 0.8 * free:
        raise TooLargeError(
            f"This model has {model.parameter_count() / 1e6:,.0f} million weights, which take "
            f"{needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free: choose a smaller one."
        )
