"""A folder as `save_pretrained` writes it, or as the Hugging Face Hub has it, ready to run."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch

from seq2seq.catalogue import Card
from seq2seq.data.tokenizer import Tokenizer
from seq2seq.decoding.generation_config import GenerationConfig
from seq2seq.errors import UserError
from seq2seq.families.chronos import ChronosSettings
from seq2seq.families.configs import is_forecaster, read_json
from seq2seq.families.generation_configs import read_generation_config
from seq2seq.families.loading import read_model
from seq2seq.families.model_cards import read_card
from seq2seq.families.tokenizers import read_tokenizer
from seq2seq.models.config import TransformerConfig
from seq2seq.models.seq2seq import Seq2Seq


def is_foreign(folder: Path) -> bool:
    """Tell whether a folder's config.json is of somebody else's model."""
    return "model_type" in read_json(folder / "config.json")


def family_of(folder: Path) -> str:
    """Return the family of somebody else's model, as its config.json names it."""
    return str(read_json(folder / "config.json").get("model_type", ""))


def read_folder(
    folder: Path, name: str, dtype: torch.dtype = torch.float32, card: Card | None = None
) -> tuple[Card, Seq2Seq, Tokenizer, GenerationConfig]:
    """Read a model with all that belongs to it.

    card: ours, where there is one; else what its own files say.
    Raises UserError, in one sentence, for whatever is missing, damaged, unknown or too large.
    """
    values = read_json(folder / "config.json")
    if is_forecaster(values):
        return _read_forecaster(folder, name, dtype, card)
    model = read_model(folder, values, dtype)
    tokenizer = read_tokenizer(folder, values["model_type"], values)
    if len(tokenizer) > model.config.vocabulary:
        raise UserError(
            f"The tokenizer has {len(tokenizer)} tokens and the model {model.config.vocabulary}: "
            "they are not from the same model."
        )
    card = card or read_card(folder, values, name)
    config = cast(TransformerConfig, model.config)
    generation_config = read_generation_config(folder, values, config, tokenizer, card.task)
    return card, model, tokenizer, generation_config


def _read_forecaster(
    folder: Path, name: str, dtype: torch.dtype, card: Card | None
) -> tuple[Card, Seq2Seq, Tokenizer, GenerationConfig]:
    values = read_json(folder / "config.json")
    settings = ChronosSettings.read(values)
    model = read_model(folder, values, dtype)
    tokenizer = settings.tokenizer(model.config)
    card = card or read_card(folder, values, name)
    return card, model, tokenizer, settings.generation_config(model.config)


def check_links(folder: Path) -> None:
    """Refuse files that lie elsewhere, but for the blobs of a snapshot in the Hub's own cache."""
    homes = [folder.resolve()]
    homes += [above.parent / "blobs" for above in homes[0].parents if above.name == "snapshots"]
    for path in folder.iterdir():
        linked = path.is_symlink() and path.suffix and path.is_file()
        if linked and not any(path.resolve().is_relative_to(home) for home in homes):
            raise UserError(
                f"The {path.name} is a link out of the model's folder: put the file itself there."
            )
