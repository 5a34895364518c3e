"""Text cut into rows of cells: CSV, TSV, columns apart by spaces, or a list of numbers."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from seq2seq.data.number_column import GROUPED, number
from seq2seq.errors import UserError

SEPARATORS = "\t;,|"
SPACE = " "
MOSTLY = 0.8  # of the lines


class Cells(NamedTuple):
    """Rows of cells, which need not be of one length. separator: "" where a row is one cell."""

    rows: list[list[str]]
    separator: str = ""


def decode(content: bytes | str) -> str:
    """Return a file as text: UTF-8, UTF-16 with its mark, or else Windows-1252.

    Raises UserError for what is no text.
    """
    if isinstance(content, str):
        return content
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-8-sig", "utf-16") if wide else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UserError("This file is not text: give a table as CSV or TSV.")


def split_rows(text: str) -> Cells:
    """Split a text into rows of cells, by the separator that the most lines have as often."""
    lines = [line for line in text.splitlines() if line.strip().strip(SEPARATORS + " \"'")]
    told = re.fullmatch(r"sep=(.)", lines[0].strip("\ufeff\"' ")) if lines else None
    lines = _without_frame(lines[1:] if told else lines)
    if not lines:
        return Cells([])
    if len(lines) == 1:
        return Cells([[word] for word in _words(lines[0])])
    separator = told[1] if told else _separator(lines)
    if not separator:
        return _spaced(lines)
    return Cells(_parted(lines, separator), separator)


def _without_frame(lines: list[str]) -> list[str]:
    """Drop the bars and rules of a table in Markdown, and the brackets of a list."""
    if len(lines) > 1 and all(line.strip()[0] == line.strip()[-1] == "|" for line in lines):
        lines = [line.strip().strip("|") for line in lines]
        return [line for line in lines if not re.fullmatch(r"[\s|:+-]+", line)]
    if lines and lines[0].strip()[:1] == "[" and lines[-1].strip()[-1:] == "]":
        return [" ".join(lines).strip(" []")]
    return lines


def _words(line: str) -> list[str]:
    """Split a text of one line, which is a list of numbers."""
    if len(line.split()) > 1 and not re.search(r"[a-zA-Z]{4}", line):
        return [word for word in re.split(r"[\s;]+|,\s+", line.strip()) if word]
    return re.split(r"[;,\t|]", line)


def _separator(lines: Sequence[str]) -> str:
    """Return what stands between cells, "" where lines are a cell each or cut by spaces."""

    def fit(separator: str) -> tuple[int, int]:
        counts = Counter(line.count(separator) for line in lines if separator in line)
        return max(counts.values(), default=0), -SEPARATORS.index(separator)

    best = max(SEPARATORS, key=fit)
    if fit(best)[0] <= len(lines) // 2 or (best == "," and _decimal_commas(lines)):
        return ""
    return best


def _decimal_commas(lines: Sequence[str]) -> bool:
    """Tell whether lines are one number each, written with a decimal comma."""
    first, lines = lines[0], lines[1:]
    if "," in first and number(first) is None:  # it names more columns than one
        return False
    plain = sum(bool(re.fullmatch(r"\s*[-+]?[\d.]*\d,\d+\s*", line)) for line in lines)
    years = sum(bool(re.fullmatch(r"\s*(1[89]|20)\d\d,\d+\s*", line)) for line in lines)
    return plain > MOSTLY * len(lines) and years < MOSTLY * len(lines)


def _parted(lines: Sequence[str], separator: str) -> list[list[str]]:
    """Part lines by a separator, which quotes may hold; a quote that is never closed is none."""
    try:
        rows = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
    except csv.Error:
        rows = []
    if len(rows) <= len(lines) / 2:
        rows = [[cell.strip(' "') for cell in line.split(separator)] for line in lines]
    return [row for row in rows if row]


def _spaced(lines: Sequence[str]) -> Cells:
    """Part lines without a separator: columns apart by spaces, or numbers in lines of a text."""
    words = [line.split() for line in lines]
    numeric = [all(number(word) is not None for word in row) for row in words]
    if sum(numeric) > MOSTLY * len(lines):
        grouped = all(GROUPED.fullmatch(line.strip()) for line in lines if len(line.split()) > 1)
        if grouped:
            return Cells([[line.strip()] for line in lines])
        return Cells([[word] for row in words for word in row])
    width, times = Counter(map(len, words)).most_common(1)[0]
    wide = [re.split(r"\s{2,}", line.strip()) for line in lines]
    if sum(len(row) > 1 for row in wide) > MOSTLY * len(lines):
        return Cells(wide, SPACE)
    if width > 1 and times > MOSTLY * (len(lines) - 1) and _ends_in_numbers(words):
        return Cells(words, SPACE)
    return Cells([[line] for line in lines])


def _ends_in_numbers(words: Sequence[Sequence[str]]) -> bool:
    return sum(number(row[-1]) is not None for row in words) > MOSTLY * (len(words) - 1)
