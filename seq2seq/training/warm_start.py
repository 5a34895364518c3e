"""What training may begin with: a checkpoint's weights, and the log of what trained them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from seq2seq.catalogue import is_ours
from seq2seq.checkpoint import TOKENIZER, OwnTokenizer, read_model
from seq2seq.data.tokenizer import UNKNOWN, WORD_START, Unigram
from seq2seq.errors import UserError
from seq2seq.evaluation.results import LOG
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import Seq2Seq
from seq2seq.training.recipe import Recipe

# Weights with a row for each token; the others of an embedding have none.
OF_TOKENS = (
    "encoder.embedding.weight",
    "encoder.embedding.tokens.",
    "decoder.embedding.weight",
    "decoder.embedding.tokens.",
    "decoder.output.",
)
FREE = ("dropout", "level", "margin")  # what may differ, since no weight depends on it


@dataclass(frozen=True, eq=False)
class Beginning:
    """tokenizer: None where it lacks a symbol of the recipe, or joins digits that the recipe wants
    apart, so that another has to be fitted. known: its tokens. log: lines, none if there is no log.
    position: step, epoch and seconds of the last one.
    """

    model: Seq2Seq
    tokenizer: bytes | None
    known: Unigram
    log: tuple[str, ...]
    position: tuple[int, int, float]


def read_beginning(folder: Path, recipe: Recipe) -> Beginning:
    """Read a checkpoint folder. Raises UserError if it is damaged or of another model.

    A model that shall copy may begin with one that does not, and a listener with one that hears
    another level or margin: the weights are the same ones.
    """
    if not is_ours(folder) or not (folder / TOKENIZER).is_file():
        raise UserError(
            f"{folder.name} is no checkpoint of this library: begin with one that it has trained."
        )
    model = read_model(folder)
    has = model.config.to_dict()
    own = {name: has[name] for name in ("vocabulary", "pad", "unknown", "bos", "eos")}
    wants = Config.from_dict({**recipe.model, **own}).to_dict()
    for name in has:
        added = name == "copies" and wants.get(name)
        if name not in FREE and not added and has[name] != wants.get(name):
            raise UserError(
                f"{folder.name} has {name} {has[name]}, the recipe {wants.get(name)}: "
                "give the recipe the checkpoint's [model]."
            )
    known = Unigram.load(folder / TOKENIZER, recipe.card.folded)
    pieces = set(known.pieces(range(len(known))))
    fits = pieces.issuperset(recipe.tokenizer.symbols)
    split = pieces.difference(recipe.tokenizer.symbols)
    fits &= not recipe.tokenizer.digits or not any(map(_joins_digits, split))
    return Beginning(model, known.model if fits else None, known, *_read_log(folder))


@torch.no_grad()
def take_weights(model: Seq2Seq, beginning: Beginning, tokenizer: OwnTokenizer) -> None:
    """Give a model the weights that a training begins with; those it adds stay as they were made.

    Where its tokens are others, each begins with the mean of those that its text was split into
    before, and one of an unknown text as it was made.
    """
    if beginning.tokenizer is not None:
        model.load_state_dict(model.state_dict() | beginning.model.state_dict())
        return
    known, before = beginning.known, beginning.model.state_dict()
    numbers = {piece: token for token, piece in enumerate(known.pieces(range(len(known))))}
    pieces = tokenizer.pieces(range(len(tokenizer)))
    parts = [_known_parts(piece, known, numbers) for piece in pieces]
    for name, weight in model.state_dict().items():
        if not name.startswith(OF_TOKENS):
            weight.copy_(before.get(name, weight))
            continue
        for token, ids in enumerate(parts):
            if ids:
                weight[token] = before[name][ids].mean(dim=0)


def _joins_digits(piece: str) -> bool:
    return len(piece) > 1 and any(letter.isdigit() for letter in piece)


def _known_parts(piece: str, known: Unigram, numbers: Mapping[str, int]) -> list[int]:
    """Return the ids that a piece of another tokenizer is in this one; numbers: of its pieces."""
    if piece in numbers:
        return [numbers[piece]]
    split = known.split(piece.replace(WORD_START, " "))
    ids = split.ids
    if ids and not piece.startswith(WORD_START):
        rest = split.pieces[0].removeprefix(WORD_START)
        ids = [*([numbers[rest]] if rest in numbers else []), *ids[1:]]
    return [] if UNKNOWN in ids else ids


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
