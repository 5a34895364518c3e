"""How a checkpoint is made: the recipe.toml beside its weights."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from seq2seq.catalogue import Card
from seq2seq.errors import UserError

Section = TypeVar("Section")


@dataclass(frozen=True)
class DataSettings:
    """train, valid: files below the data folder. columns: of source and target, () for the first
    two. max_tokens: longer pairs are left out of training. share: of each training file's pairs
    seen in an epoch, drawn anew each time; () for all of them.
    """

    train: tuple[str, ...]
    valid: tuple[str, ...]
    columns: tuple[str, ...] = ()
    share: tuple[float, ...] = ()
    max_tokens: int = 100


@dataclass(frozen=True)
class TokenizerSettings:
    """pieces: of the vocabulary shared by both sides. alpha: of the sampled splits that training
    sees (Kudo 2018), 0 for the best split always. symbols: never split.
    """

    pieces: int = 8000
    alpha: float = 0.0
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of the loop.

    batch_tokens: padded target tokens a batch. learning_rate: the peak, reached after warmup_steps
    and falling in a line to 0 at the end of the run. averaging: decay of the running average of the
    weights, 0 for none. evaluate_every: steps. patience: evaluations without a better valid loss
    after which the run ends.
    """

    epochs: int = 20
    batch_tokens: int = 2_000
    learning_rate: float = 1e-3
    warmup_steps: int = 500
    label_smoothing: float = 0.1
    clip: float = 1.0
    averaging: float = 0.999
    evaluate_every: int = 1_000
    patience: int = 10
    seed: int = 1


@dataclass(frozen=True)
class Recipe:
    """card: what the checkpoint is. model: fields of Config but for the vocabulary."""

    card: Card
    data: DataSettings
    tokenizer: TokenizerSettings
    model: dict[str, Any]
    training: TrainingSettings
    text: str

    @property
    def name(self) -> str:
        """Name of the checkpoint's folder."""
        return self.card.name


def read_recipe(path: Path) -> Recipe:
    """Read a recipe. The checkpoint is named by `name` in [card], else by the recipe's folder.

    Raises UserError if the file is missing or has a field that nobody knows.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError:
        raise UserError(f"There is no recipe {path.name}: check its path.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"The recipe {path.name} cannot be read: {error}.") from None
    sections = {"card", "data", "tokenizer", "model", "training"}
    unknown = sorted(set(values) - sections)
    missing = sorted({"card", "data", "model"} - set(values))
    if unknown or missing:
        what = f"an unknown section [{unknown[0]}]" if unknown else f"no section [{missing[0]}]"
        raise UserError(f"The recipe {path.name} has {what}: it has {', '.join(sorted(sections))}.")
    name = values["card"].get("name") or path.resolve().parent.name
    return Recipe(
        Card.from_dict(values["card"], name),
        _section(DataSettings, values["data"], "data"),
        _section(TokenizerSettings, values.get("tokenizer", {}), "tokenizer"),
        values["model"],
        _section(TrainingSettings, values.get("training", {}), "training"),
        text,
    )


def _section(kind: type[Section], values: dict[str, Any], name: str) -> Section:
    unknown = sorted(set(values) - {field.name for field in fields(kind)})  # type: ignore[arg-type]
    if unknown:
        raise UserError(f"The recipe's [{name}] has an unknown field {unknown[0]!r}.")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    try:
        return kind(**values)
    except TypeError:
        raise UserError(f"The recipe's [{name}] lacks a field.") from None
