"""TOML tables read into frozen dataclasses, with a sentence for what does not fit."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from seq2seq.errors import UserError, quote
from seq2seq.text_files import read_text_file

Table = TypeVar("Table")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file. Raises OSError if it cannot be read, ValueError if it is no such file."""
    try:
        return tomllib.loads(read_text_file(path))
    except RecursionError:
        raise ValueError("too many lists or tables within each other") from None


def read_table(kind: type[Table], values: Any, where: str) -> Table:
    """Build a dataclass of a TOML table; `where` begins the sentence if that is not possible.

    Raises UserError for a field that is missing, unknown or of another type.
    """
    if not isinstance(values, dict):
        raise UserError(f"{where} is no table: give fields and values.")
    types = _types(kind)  # type: ignore[arg-type]
    values = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
    }
    for name, value in values.items():
        if name not in types:
            raise UserError(f"{where} does not know {quote(name)}: it has {', '.join(types)}.")
        if not _fits(value, types[name]):
            raise UserError(
                f"{where} has {quote(value)} as its {name}: give {_in_words(types[name])}."
            )
    for item in fields(kind):  # type: ignore[arg-type]
        needed = item.default is MISSING and item.default_factory is MISSING
        if needed and item.name not in values:
            raise UserError(f"{where} lacks {item.name!r}: write it there.")
    return kind(**values)


@functools.cache
def _types(kind: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields; finding them costs more than reading a card."""
    return get_type_hints(kind)


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is tuple:
        return type(value) is tuple and all(_fits(part, get_args(kind)[0]) for part in value)
    return type(value) is kind or (kind is float and type(value) is int)


def _in_words(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return f"a list, each {_in_words(get_args(kind)[0])}"
    known = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    return known.get(kind, "a table")
