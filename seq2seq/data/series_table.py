"""A series from a table that somebody else wrote: any separator, header, dates and gaps."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np

from seq2seq.data.frequency import FREQUENCIES, infer_frequency, periods
from seq2seq.data.series import LARGEST_VALUE, MAX_VALUES, Series
from seq2seq.errors import UserError

MAX_BYTES, MAX_COLUMNS = 5_000_000, 200
SEPARATORS = "\t;,|"
MISSING_WORDS = {"", "?", "na", "n/a", "nan", "null", "none", "-", ".", "inf", "-inf", "+inf"}
DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d/%m/%Y",
    "%m/%d/%Y", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d-%m-%Y", "%Y-%m", "%Y/%m", "%m/%Y",
    "%Y %b", "%b %Y", "%B %Y", "%b-%Y", "%Y-%b", "%d %b %Y", "%b %d, %Y", "%Y",
)  # fmt: skip
MOST_GAPS = 4  # empty periods for each one with a value; beyond, dates are not a regular grid


@dataclass(frozen=True)
class SeriesTable:
    """The cells of a table by column.

    names: of the columns, from the header or made up. dates: the column that holds dates, None for
    none. numbers: the columns that hold numbers.
    """

    names: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    dates: int | None
    numbers: tuple[int, ...]


def read_table(content: bytes | str) -> SeriesTable:
    """Read CSV, TSV, or numbers with spaces or one a line, with or without a header.

    Raises UserError for a file that is too large or no text, and for one without numbers.
    """
    if len(content) > MAX_BYTES:
        raise UserError(f"This table is larger than {MAX_BYTES // 1_000_000} MB: give less of it.")
    rows = _rows(_decoded(content))
    if not rows:
        raise UserError("There are no numbers here: give one column of numbers, with dates or not.")
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if width > MAX_COLUMNS:
        raise UserError(f"This table has {width:,} columns: give at most {MAX_COLUMNS}.")
    header = _is_header(rows)
    names = [name.strip() for name in rows[0][:width]] if header else []
    names += [""] * (width - len(names))
    rows = [[*row, *[""] * width][:width] for row in rows[header:]]
    if len(rows) > MAX_VALUES:
        raise UserError(f"This table has {len(rows):,} rows: give at most {MAX_VALUES:,}.")
    columns = tuple(tuple(cell.strip() for cell in column) for column in zip(*rows, strict=True))
    return _kinds(tuple(name or f"column {at + 1}" for at, name in enumerate(names)), columns)


def _decoded(content: bytes | str) -> str:
    if isinstance(content, str):
        return content
    for encoding in (
        ("utf-8-sig", "utf-16")
        if content[:2] in (b"\xff\xfe", b"\xfe\xff")
        else (
            "utf-8-sig",
            "latin-1",
        )
    ):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise UserError("This file is no text: give a table as CSV or TSV.")


def _rows(text: str) -> list[list[str]]:
    """Split a text into rows of cells, by the separator that the most lines have as often."""
    lines = [line for line in text.splitlines() if line.strip(SEPARATORS + " \"'")]
    if not lines:
        return []
    if len(lines) == 1 and len(lines[0].split()) > 1 and not re.search(r"[a-zA-Z]{4}", lines[0]):
        return [[word] for word in re.split(r"[\s;]+|,\s+", lines[0].strip()) if word]
    if len(lines) == 1:
        return [[word] for word in re.split(r"[;,\t|]", lines[0])]

    def fit(separator: str) -> tuple[int, int]:
        counts = Counter(line.count(separator) for line in lines)
        count, times = counts.most_common(1)[0]
        return (times if count else 0), -SEPARATORS.index(separator)

    separator = max(SEPARATORS, key=fit)
    if fit(separator)[0] <= len(lines) // 2 or (separator == "," and _decimal_commas(lines)):
        return [[line] for line in lines]
    try:
        return [row for row in csv.reader(lines, delimiter=separator, skipinitialspace=True) if row]
    except csv.Error:
        return [line.split(separator) for line in lines]


def _decimal_commas(lines: Sequence[str]) -> bool:
    """Tell whether lines are one number each, written with a decimal comma."""
    lines = lines[1:]  # the first may name the column
    plain = sum(bool(re.fullmatch(r"\s*[-+]?[\d.]*\d,\d+\s*", line)) for line in lines)
    years = sum(bool(re.fullmatch(r"\s*(1[89]|20)\d\d,\d+\s*", line)) for line in lines)
    return plain > 0.8 * len(lines) and years < 0.8 * len(lines)


def _is_header(rows: list[list[str]]) -> int:
    """Return 1 if the first row names the columns, else 0."""
    first = rows[0]
    if any(number(cell) is not None or _is_date(cell) for cell in first):
        # Years as column names are rare; a number in the first row is a value.
        return 0
    return int(any(cell.strip().lower() not in MISSING_WORDS for cell in first))


def _kinds(names: tuple[str, ...], columns: tuple[tuple[str, ...], ...]) -> SeriesTable:
    dates = next((at for at, cells in enumerate(columns) if parse_dates(cells)), None)
    numbers = tuple(at for at, cells in enumerate(columns) if at != dates and _is_numeric(cells))
    if not numbers and dates is not None and _is_numeric(columns[dates]):
        numbers, dates = (dates,), None
    if not numbers:
        raise UserError("There are no numbers here: give one column of numbers, with dates or not.")
    return SeriesTable(names, columns, dates, numbers)


def _is_numeric(cells: Sequence[str]) -> bool:
    present = [cell for cell in cells if cell.lower() not in MISSING_WORDS]
    found = sum(number(cell) is not None for cell in present)
    return len(present) > 0 and found >= 0.8 * len(present)


def number(cell: str, decimal_comma: bool = False) -> float | None:
    """Read one number, as "1,234.5", "1 234,5", "12 %" or "$3": None for what is none.

    decimal_comma: a lone comma is a decimal mark, otherwise it groups thousands where it can.
    """
    text = re.sub(r"[\s_'’€$£%]", "", cell)
    if re.fullmatch(r"[-+]?\d{1,3}(\.\d{3})+,\d+", text) or (
        re.fullmatch(r"[-+]?\d*,\d+", text)
        and (decimal_comma or not re.fullmatch(r"[-+]?\d{1,3},\d{3}", text))
    ):
        text = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        text = text.replace(",", "")
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _is_date(cell: str) -> bool:
    return bool(re.search(r"\d{4}[-/]|[-/.]\d{4}|\d{4} ?Q|\d{4} ?M", cell))


def parse_dates(cells: Sequence[str]) -> list[datetime | None]:
    """Read a column of dates in whatever one format fits nearly all of them; [] for no dates.

    Quarters and weeks are read as 2020-Q3, 2020Q3, 2020-W07 and months also as 2020M03.
    """
    present = [cell for cell in cells if cell]
    if len(present) < 2 or len(present) < 0.8 * len(cells):
        return []
    if re.fullmatch(r"\d{4}[- ]?[QMW]\d{1,2}", present[0]):
        found = [_named_period(cell) for cell in cells]
    else:
        tried = [_parse_all(cells, form) for form in DATE_FORMATS if _parse(present[0], form)]
        found = max(tried, key=lambda dates: len(dates) - dates.count(None), default=[])
    years = [date.year for date in found if date]
    if len(years) < 0.9 * len(present) or not 1600 <= min(years, default=0) <= max(years) <= 2300:
        return []
    bare = all(re.fullmatch(r"\d{4}", cell) for cell in present)
    steps = {later - year for year, later in pairwise(years)}
    return [] if bare and (not steps <= set(range(1, 11)) or len(steps) > 3) else found


def _named_period(cell: str) -> datetime | None:
    match = re.fullmatch(r"(\d{4})[- ]?([QMW])(\d{1,2})", cell)
    if match is None:
        return None
    year, kind, count = int(match[1]), match[2], int(match[3])
    try:
        if kind == "W":
            return datetime.fromisocalendar(year, count, 1)
        return datetime(year, count if kind == "M" else 3 * count - 2, 1)
    except ValueError:
        return None


def _parse(cell: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(cell, form)
    except ValueError:
        return None


def _parse_all(cells: Sequence[str], form: str) -> list[datetime | None]:
    return [_parse(cell, form) for cell in cells]


def series_of(table: SeriesTable, column: int | None = None, frequency: str = "") -> Series:
    """Make a series of one column of numbers, the first if none is named.

    What had to be repaired is told in its notes: rows out of order are sorted, values of one
    period are averaged, periods without one are missing, cells that are no numbers too.
    frequency: a code, "" to infer it from the dates. Raises UserError where nothing is left.
    """
    column = table.numbers[0] if column is None else column
    cells = table.cells[column]
    notes: list[str] = []
    values = _values(cells, notes)
    start, name = "", table.names[column]
    if table.dates is not None:
        dates = parse_dates(table.cells[table.dates])
        values, start, frequency = _regular(values, dates, frequency, notes)
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < 2:
        raise UserError(f"The column {name[:60]!r} has fewer than two numbers: choose another.")
    if known[-1] < len(values) - 1:
        notes.append("Missing values at the end were left out: the forecast begins after the last.")
    return Series(values[known[0] : known[-1] + 1], frequency, start, name, tuple(notes))


def _values(cells: Sequence[str], notes: list[str]) -> np.ndarray:
    commas = [cell for cell in cells if re.fullmatch(r"[-+]?\d+,\d+", cell)]
    grouped = all(re.fullmatch(r"[-+]?\d{1,3},\d{3}", cell) for cell in commas)
    decimal = bool(commas) and not grouped and not any("." in cell for cell in cells)
    found = [number(cell, decimal) for cell in cells]
    values = np.array([np.nan if value is None else value for value in found])
    if (np.abs(values) > LARGEST_VALUE).any():
        raise UserError(f"A value is larger than {LARGEST_VALUE:g}: divide all by one number.")
    missing = int(np.isnan(values).sum())
    if missing:
        notes.append(f"{missing} of {len(values)} cells hold no number and count as missing.")
    return values


def _regular(
    values: np.ndarray, dates: Sequence[datetime | None], frequency: str, notes: list[str]
) -> tuple[np.ndarray, str, str]:
    """Put values into the equal periods of their dates; returns them, their start and frequency."""
    pairs = [(date, value) for date, value in zip(dates, values, strict=True) if date]
    if len(pairs) < len(values):
        notes.append(f"{len(values) - len(pairs)} rows without a date were left out.")
    ordered = sorted(pairs, key=lambda pair: pair[0])
    if ordered != pairs and [pair[0] for pair in ordered] != [pair[0] for pair in pairs]:
        notes.append("The rows were sorted by date.")
    times = [date for date, _ in ordered]
    values = np.array([value for _, value in ordered])
    start = times[0].isoformat(sep=" ").removesuffix(" 00:00:00")
    code = frequency or infer_frequency(times)
    if not code:
        notes.append("The dates have no usual step, so the values count as equally spaced.")
        return values, start, ""
    places = np.array(periods(times, code)) - periods(times, code)[0]
    if places[-1] + 1 > (MOST_GAPS + 1) * len(values) or places[-1] >= MAX_VALUES:
        notes.append("The dates have many gaps, so the values count as equally spaced.")
        return values, start, code
    return _averaged(places, values, FREQUENCIES[code].title, notes), start, code


def _averaged(places: np.ndarray, values: np.ndarray, title: str, notes: list[str]) -> np.ndarray:
    """Return the mean value of each place, NaN for places without one."""
    known = ~np.isnan(values)
    size = int(places[-1]) + 1
    counts = np.bincount(places[known], minlength=size)
    sums = np.bincount(places[known], weights=values[known], minlength=size)
    doubled = len(places) - len(set(places.tolist()))
    if doubled:
        notes.append(f"{doubled} rows fall into the same period as another and were averaged.")
    empty = size - len(set(places.tolist()))
    if empty:
        notes.append(f"{empty} periods ({title}) have no row and count as missing.")
    return np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
