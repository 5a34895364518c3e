"""Files of pairs, and batches made of them."""

from __future__ import annotations

import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from seq2seq.data.dialogue import source_of, turns_of
from seq2seq.errors import UserError

# The words that a header may consist of.
COLUMN = re.compile(
    "id|source|target|en|fr|de|es|it|pt|nl|ru|sentence|compression|description|synopsis|abstract|tldr|"
    "lead|headline|before|context|response|word|phonemes"
)
SIDES, TURNS = ("source", "target"), ("before", "context", "response")
OPENERS: dict[str, Callable] = {".xz": lzma.open, ".gz": gzip.open}


class Pair(NamedTuple):
    """A source and its target, as text."""

    source: str
    target: str


def read_pairs(path: Path, columns: Sequence[str] = (), separator: str = "") -> list[Pair]:
    """Read a tab-separated file, plain or .xz or .gz; rows without text on both sides are left out.

    A first line of nothing but known column names, or with the columns named, is a header. The
    target is the last of the columns named; in all before it are turns, several in one where
    separators stand between them, which source_of joins. Without names they are `source` and
    `target` if both are there, else `before`, `context` and `response`, else the first two.
    Raises UserError if the file is missing or holds no pairs.
    """
    opener = OPENERS.get(path.suffix, open)
    try:
        with opener(path, "rt", encoding="utf-8", newline="\n") as file:
            rows = [line.rstrip("\r\n").split("\t") for line in file]
    except FileNotFoundError:
        raise UserError(f"There is no file {path.name}: check its path.") from None
    except (OSError, EOFError, lzma.LZMAError, zlib.error, UnicodeDecodeError):
        raise UserError(
            f"{path.name} cannot be read: give UTF-8 text, plain, .xz or .gz."
        ) from None
    *sides, target = _columns(rows, columns, path.name)

    def turns(row: Sequence[str]) -> Sequence[str]:
        return [turn for side in sides for turn in turns_of(row[side], separator)]

    pairs = [
        Pair(source_of(turns(row), separator), row[target].strip())
        for row in rows
        if len(row) > max(*sides, target)
    ]
    pairs = [pair for pair in pairs if pair.source and pair.target]
    if not pairs:
        raise UserError(f"{path.name} holds no pairs: each line needs a source, a tab, a target.")
    return pairs


def _columns(rows: list[list[str]], names: Sequence[str], file: str) -> list[int]:
    header: list[str] = []
    first = rows[0] if rows else []
    known = all(COLUMN.fullmatch(cell) for cell in first)
    if len(first) > 1 and (known or (names and set(names) <= set(first))):
        header = rows.pop(0)
    if not names:
        usual = (each for each in (SIDES, TURNS) if set(each) <= set(header))
        names = next(usual, tuple(header[:2]))
    if not names:
        return [0, 1]
    missing = [name for name in names if name not in header]
    if missing:
        raise UserError(f"{file} has no column {missing[0]!r}: it has {', '.join(header)}.")
    return [header.index(name) for name in names]
