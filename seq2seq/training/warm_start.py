"""What training may begin with: a checkpoint's weights, and the log of what trained them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from seq2seq.catalogue import is_ours
from seq2seq.checkpoint import TOKENIZER, read_model
from seq2seq.errors import UserError
from seq2seq.evaluation.results import LOG
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import Seq2Seq
from seq2seq.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Beginning:
    """log: lines, none if there is no log. position: step, epoch and seconds of the last one."""

    model: Seq2Seq
    tokenizer: bytes
    log: tuple[str, ...]
    position: tuple[int, int, float]


def read_beginning(folder: Path, recipe: Recipe) -> Beginning:
    """Read a checkpoint folder. Raises UserError if it is damaged or of another model."""
    if not is_ours(folder) or not (folder / TOKENIZER).is_file():
        raise UserError(
            f"{folder.name} is no checkpoint of this library: begin with one that it has trained."
        )
    model = read_model(folder)
    has = model.config.to_dict()
    own = {name: has[name] for name in ("vocabulary", "pad", "unknown", "bos", "eos")}
    wants = Config.from_dict({**recipe.model, **own}).to_dict()
    for name in has:
        if name != "dropout" and has[name] != wants.get(name):
            raise UserError(
                f"{folder.name} has {name} {has[name]}, the recipe {wants.get(name)}: "
                "give the recipe the checkpoint's [model]."
            )
    return Beginning(model, (folder / TOKENIZER).read_bytes(), *_read_log(folder))


@torch.no_grad()
def mix(model: nn.Module, start: nn.Module, share: float) -> None:
    """Move a model's weights to the mean of them and those of another, which has so much of it."""
    for weight, other in zip(model.parameters(), start.parameters(), strict=True):
        weight.lerp_(other.to(weight.device), share)


def _read_log(folder: Path) -> tuple[tuple[str, ...], tuple[int, int, float]]:
    if not (folder / LOG).is_file():
        return (), (0, 0, 0.0)
    try:
        log = (folder / LOG).read_text(encoding="utf-8").splitlines()
        last = [json.loads(line) for line in log][-1]
        return tuple(log), (int(last["step"]), int(last["epoch"]), float(last["seconds"]))
    except (OSError, ValueError, LookupError, TypeError):
        raise UserError(f"The {LOG} of {folder.name} is damaged: repair or delete it.") from None
