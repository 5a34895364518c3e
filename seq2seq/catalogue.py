"""The checkpoints at hand: their cards, and where they lie. Reads no weights and needs no torch."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from seq2seq.errors import UserError

CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"
Table = TypeVar("Table")
TASKS = ("translation", "summarization", "chatbot", "speech", "spelling")


@dataclass(frozen=True)
class Card:
    """What a checkpoint is: the card.toml beside its weights.

    languages: of source and target, as ISO 639-1 codes. examples: inputs to try first.
    """

    name: str
    title: str
    task: str
    licence: str
    summary: str = ""
    languages: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    data: tuple[str, ...] = field(default=())

    @classmethod
    def from_dict(cls, values: Any, name: str) -> Card:
        """Read plain values. Raises UserError for a missing or unknown field or task."""
        where = f"The card of {name}"
        given = {**values, "name": name} if isinstance(values, dict) else values
        card = read_table(cls, given, where)
        missing = [key for key in ("title", "task", "licence") if not getattr(card, key)]
        if missing:
            raise UserError(f"{where} lacks {missing[0]!r}: write it there.")
        if card.task not in TASKS:
            raise UserError(f"{where} names no known task: use {', '.join(TASKS)}.")
        return card


def read_table(kind: type[Table], values: Any, where: str) -> Table:
    """Build a dataclass of a TOML table; `where` begins the sentence if that is not possible.

    Raises UserError for a field that is missing, unknown or of another type.
    """
    if not isinstance(values, dict):
        raise UserError(f"{where} is no table: give fields and values.")
    types = get_type_hints(kind)
    values = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    for name, value in values.items():
        if name not in types:
            raise UserError(f"{where} does not know {name!r}: it has {', '.join(types)}.")
        if not _fits(value, types[name]):
            raise UserError(f"{where} has {value!r} as its {name}: give {_in_words(types[name])}.")
    for item in fields(kind):  # type: ignore[arg-type]
        if item.default is MISSING and item.name not in values:
            raise UserError(f"{where} lacks {item.name!r}: write it there.")
    return kind(**values)


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is tuple:
        return type(value) is tuple and all(_fits(part, get_args(kind)[0]) for part in value)
    return type(value) is kind or (kind is float and type(value) is int)


def _in_words(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"a list, each {_in_words(get_args(kind)[0])}"
    return {str: "text", int: "a whole number", float: "a number"}[kind]


def read_card(folder: Path) -> Card:
    """Read the card of a checkpoint folder. Raises UserError if there is none or it is damaged."""
    try:
        values = tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{folder.name} has no card.toml: it is not a checkpoint.") from None
    except (OSError, ValueError):
        raise UserError(f"The card.toml of {folder.name} cannot be read: mend it.") from None
    return Card.from_dict(values, folder.name)


def embedded() -> dict[str, Card]:
    """Return the cards of the checkpoints in checkpoints/ that have weights, by name.

    A damaged card hides its checkpoint here, not the others; naming it tells what is wrong.
    """
    cards = {}
    for folder in sorted(path.parent for path in CHECKPOINTS.glob("*/model.safetensors")):
        with suppress(UserError):
            cards[folder.name] = read_card(folder)
    return cards


def locate(checkpoint: str) -> Path:
    """Find the folder of a checkpoint by its name or path. Raises UserError if there is none."""
    with suppress(OSError, ValueError):
        for folder in (CHECKPOINTS / checkpoint, Path(checkpoint)):
            if checkpoint.strip() and folder.is_dir():
                return folder
    known = ", ".join(embedded()) or "none yet"
    shown = checkpoint if len(checkpoint) < 80 else checkpoint[:80] + "..."
    raise UserError(
        f"There is no checkpoint {shown!r}: give a folder or one of those embedded ({known})."
    )
