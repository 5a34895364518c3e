"""Frozen records to JSON and back: types and sizes are checked before any array is made.

A record is a dataclass of texts, numbers, tuples, arrays and other records; its annotations say
what is read and how much of it. Knows no record in particular.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import orjson

from seq2seq.errors import UserError

MAX_BYTES = 100_000_000  # of a file
# How often a mark may occur in a file, which bounds the memory of what it is parsed into.
MAX_MARKS = {b",": 8_000_000, b"[": 1_000_000, b"{": 100_000, b'"': 400_000}
MAX_CHARACTERS = 100_000  # of a text, and of all texts of a tuple
MAX_ITEMS = 2_000  # of a tuple or dictionary that sets no limit of its own
MAX_INTEGER = 2**63 - 1
NUMBERS = {int, float}

Record = TypeVar("Record")


@dataclass(frozen=True)
class AtMost:
    """A limit for Annotated: the characters of a text, or the items of a tuple or dictionary."""

    count: int


@dataclass(frozen=True)
class ArrayOf:
    """What an annotated array holds, and its number of dimensions."""

    dtype: type[np.generic]
    dimensions: int


def write(record: Any, compact: bool = False, **first: Any) -> bytes:
    """Write a record as JSON that `read` turns into the same numbers.

    compact: arrays of float16 as {"dtype", "shape", "base64"}, little-endian, a third of the size;
    else as nested lists. first: values to put in front.
    """
    values = {**first, **asdict(record)}
    return orjson.dumps(_packed(values) if compact else values, option=orjson.OPT_SERIALIZE_NUMPY)


def _packed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _packed(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray) and value.dtype == np.float16:
        data = b64encode(np.ascontiguousarray(value, dtype="<f2").tobytes()).decode()
        return {"dtype": "float16", "shape": value.shape, "base64": data}
    return value


def parse(text: bytes | str) -> Any:
    """Return the plain values of a JSON text.

    Raises UserError for one that is too large, and ValueError for one that is no JSON.
    """
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise UserError(
            f"This file is larger than {MAX_BYTES // 1_000_000} MB: open a run saved by this app."
        )
    if any(data.count(mark) > most for mark, most in MAX_MARKS.items()):
        raise UserError("This file holds more values than any run: open one saved by this app.")
    return orjson.loads(data)


def read(kind: type[Record], value: Any) -> Record:
    """Build a record of plain values. Raises TypeError or ValueError where they do not fit it."""
    result: Record = _read(kind, value)
    return result


def _read(kind: Any, value: Any) -> Any:
    if kind in SIMPLE:
        return SIMPLE[kind](value)
    if is_dataclass(kind):
        return _record(kind, value)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1], value)
    if origin in (Union, UnionType):
        (inner,) = (each for each in arguments if each is not NoneType)
        return None if value is None else _read(inner, value)
    return CONTAINERS[origin](arguments, value, MAX_ITEMS)


def _annotated(kind: Any, mark: AtMost | ArrayOf, value: Any) -> Any:
    if isinstance(mark, ArrayOf):
        return array(value, mark.dtype, mark.dimensions)
    if kind is str:
        return _text(value, mark.count)
    return CONTAINERS[get_origin(kind)](get_args(kind), value, mark.count)


def _record(kind: Any, value: Any) -> Any:
    hints = _hints(kind)
    if type(value) is not dict or value.keys() != hints.keys():
        raise TypeError(f"{kind.__name__} has other fields")
    return kind(**{name: _read(hint, value[name]) for name, hint in hints.items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _text(value: Any, most: int = MAX_CHARACTERS) -> str:
    if type(value) is not str or len(value) > most:
        raise TypeError("not a text, or too long")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int or abs(value) > MAX_INTEGER:
        raise TypeError("not a whole number")
    return value


def _number(value: Any) -> float:
    if type(value) not in NUMBERS:
        raise TypeError("not a number")
    return float(value)


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError("not true or false")
    return value


def _tuple(arguments: tuple[Any, ...], value: Any, most: int) -> tuple[Any, ...]:
    if type(value) is not list or len(value) > most:
        raise TypeError("not a list, or too long")
    items = tuple(_read(arguments[0], item) for item in value)
    if arguments[0] is str and sum(map(len, items)) > MAX_CHARACTERS:
        raise ValueError("too many characters")
    return items


def _dictionary(arguments: tuple[Any, ...], value: Any, most: int) -> dict[Any, Any]:
    if type(value) is not dict or len(value) > most:
        raise TypeError("not an object, or too large")
    return {_read(arguments[0], key): _read(arguments[1], item) for key, item in value.items()}


SIMPLE: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _integer,
    float: _number,
    bool: _boolean,
}
CONTAINERS: dict[Any, Callable[..., Any]] = {tuple: _tuple, dict: _dictionary}


def array(value: Any, dtype: type[np.generic], dimensions: int) -> np.ndarray:
    """Make an array of nested lists, or of what `write` packs.

    Raises TypeError or ValueError unless it is rectangular, of so many dimensions, and holds finite
    numbers of this kind, at least one.
    """
    if type(value) is dict:
        made = _unpacked(value, dtype, dimensions)
    else:
        _check_lists(value, _shape(value, dimensions), {int} if dtype is np.int64 else NUMBERS)
        with np.errstate(over="ignore"):
            made = np.array(value, dtype=None if dtype is np.int64 else np.float64).astype(dtype)
    if not made.size or not np.isfinite(made).all():
        raise ValueError("an array without numbers, or with infinite ones")
    return made


def _shape(value: Any, dimensions: int) -> tuple[int, ...]:
    """Return the lengths of the first list of each depth."""
    shape = []
    for _ in range(dimensions):
        if type(value) is not list or not value:
            raise TypeError("not a list, or an empty one")
        shape.append(len(value))
        value = value[0]
    return tuple(shape)


def _check_lists(value: Any, shape: tuple[int, ...], kinds: set[type]) -> None:
    if type(value) is not list or len(value) != shape[0]:
        raise TypeError("lists of different lengths")
    if len(shape) > 1:
        for item in value:
            _check_lists(item, shape[1:], kinds)
    elif not set(map(type, value)) <= kinds:
        raise TypeError("not numbers")
    elif kinds == {int} and max(map(abs, value)) > MAX_INTEGER:
        raise ValueError("a number out of range")


def _unpacked(value: dict[Any, Any], dtype: type[np.generic], dimensions: int) -> np.ndarray:
    if value.keys() != {"dtype", "shape", "base64"} or value["dtype"] != np.dtype(dtype).name:
        raise TypeError("not a packed array of this kind")
    shape, text = value["shape"], value["base64"]
    if type(text) is not str or type(shape) is not list or len(shape) != dimensions:
        raise TypeError("not a packed array of these dimensions")
    if not all(type(size) is int and size > 0 for size in shape):
        raise TypeError("not a shape")
    little = np.dtype(dtype).newbyteorder("<")
    if (math.prod(shape) * little.itemsize + 2) // 3 * 4 != len(text):
        raise ValueError("numbers too few or too many")
    data = b64decode(text, validate=True)
    return np.frombuffer(data, little, math.prod(shape)).reshape(shape).astype(dtype)
