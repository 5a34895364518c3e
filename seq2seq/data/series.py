"""A time series: its values, how often they were observed, and series as files and text."""

from __future__ import annotations

import csv
import gzip
import lzma
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seq2seq.data.frequency import frequency
from seq2seq.errors import UserError

MAX_VALUES = 10_000
LARGEST_VALUE = 1e100
MISSING = "?"
OPENERS: dict[str, Callable] = {".xz": lzma.open, ".gz": gzip.open}


@dataclass(frozen=True, eq=False)
class Series:
    """Observations at equal steps of time, oldest first.

    values: (time,) float64, NaN where one is missing. frequency: a code of
    seq2seq.data.frequency, "" for an unknown one. start: when the first value was observed, as its
    file writes it. notes: sentences on what was changed when it was read.
    Raises UserError where a value is not finite or too large, or too few or too many are there.
    """

    values: np.ndarray
    frequency: str = ""
    start: str = ""
    name: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)  # a copy: it will not change
        object.__setattr__(self, "values", values)
        values.setflags(write=False)
        frequency(self.frequency)
        present = values[~np.isnan(values)]
        if values.ndim != 1 or len(present) < 2:
            raise UserError("A series needs at least two numbers: give more values.")
        if len(values) > MAX_VALUES:
            raise UserError(f"This series has {len(values):,} values: give at most {MAX_VALUES:,}.")
        if np.isinf(present).any():
            raise UserError("A value is infinite: leave it out, or make it a missing one.")
        if np.abs(present).max() > LARGEST_VALUE:
            raise UserError(f"A value is larger than {LARGEST_VALUE:g}: divide all by one number.")

    def __len__(self) -> int:
        """Count the values, missing ones included."""
        return len(self.values)

    @property
    def season(self) -> int:
        """Observations after which a pattern usually repeats."""
        return frequency(self.frequency).season

    @property
    def text(self) -> str:
        """The values as text; `parse_values` reads it."""
        return write_values(self.values)


def write_values(values: Sequence[float] | np.ndarray) -> str:
    """Write values with a space between them, to ten digits; missing ones are a question mark."""
    return " ".join(MISSING if np.isnan(value) else f"{value:.10g}" for value in values)


def parse_values(text: str) -> np.ndarray:
    """Read numbers with white space between them as (time,) float64; `?` and `nan` are missing.

    Raises UserError for a word that is no number, or one that is not finite.
    """
    values = []
    for word in text.split():
        try:
            value = np.nan if word == MISSING else float(word)
        except ValueError:
            raise UserError(
                f"{word[:30]!r} is not a number: separate numbers by spaces alone."
            ) from None
        if np.isinf(value):
            raise UserError("A value is infinite: leave it out, or write ? for a missing one.")
        values.append(value)
    return np.array(values, dtype=np.float64)


def read_series(path: Path) -> list[Series]:
    """Read a tab-separated file of many series, plain or .xz or .gz.

    Its header names at least the columns id, freq, start and values; values are numbers with
    spaces between them. Raises UserError if the file is missing, or where a row is no series.
    """
    try:
        with OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8", newline="") as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        raise UserError(f"There is no file {path.name}: check its path.") from None
    except (OSError, EOFError, lzma.LZMAError, zlib.error, UnicodeDecodeError):
        raise UserError(
            f"{path.name} cannot be read: give UTF-8 text, plain, .xz or .gz."
        ) from None
    rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    needed = {"id", "freq", "start", "values"}
    if not rows or not needed <= set(rows[0]):
        raise UserError(f"{path.name} holds no series: its columns are id, freq, start and values.")
    return [_read_row(row, path.name) for row in rows]


def _read_row(row: dict[str, str | None], file: str) -> Series:
    values, name = row["values"] or "", row["id"] or ""
    try:
        return Series(parse_values(values), row["freq"] or "", row["start"] or "", name)
    except UserError as error:
        raise UserError(f"{file}, series {name[:60]!r}: {error}") from None
