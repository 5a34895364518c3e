"""A series from a table that somebody else wrote: any separator, header, dates and gaps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from seq2seq.data.date_column import COUNTED_NAMES, Dates, are_times, offsets_of, parse_dates
from seq2seq.data.delimited_text import decode, split_rows
from seq2seq.data.frequency import FREQUENCIES, infer_frequency, periods
from seq2seq.data.number_column import is_missing, marks_of, number
from seq2seq.data.series import LARGEST_VALUE, MAX_VALUES, Series
from seq2seq.errors import UserError

MAX_BYTES, MAX_COLUMNS = 5_000_000, 500
MOST_GAPS = 4  # empty periods for each one with a value; beyond, dates are not a regular grid
MOSTLY = 0.8  # of the cells of a column
HEADED = 50  # rows below a header that are looked at
LEAST_DATES = 3  # names of columns that are dates, so that each row counts as a series
# Names of columns that make a date together.
YEAR = re.compile(r"year|yr|jahr|annee|année|ano|año|anno|jaar", re.IGNORECASE)
MONTH = re.compile(r"month|mon|monat|mois|mes|mês|mese|maand", re.IGNORECASE)
DAY = re.compile(r"day|tag|jour|dia|día|giorno|dag", re.IGNORECASE)
DATE_LIKE = re.compile(r"\d{4}[-/]|[-/.]\d{4}|\d{4} ?[QM]|\d[-/.]\d+[-/.]\d")
NO_NUMBERS = "There are no numbers here: give one column of numbers, with dates or not."


@dataclass(frozen=True)
class SeriesTable:
    """The cells of a table by column.

    names: of the columns, from the header or made up, no two alike. dates: the column that holds
    dates, None for none; times: what they are, one a row. numbers: the columns that hold numbers.
    separator: what stood between the cells. notes: sentences on how it was read.
    """

    names: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    dates: int | None
    numbers: tuple[int, ...]
    times: tuple[datetime | None, ...] = ()
    separator: str = ""
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> int:
        """The first column of numbers, unless it only counts the rows and there is another."""
        counted = (at for at in self.numbers if not _counts_rows(self.cells[at]))
        return next(counted, self.numbers[0])

    def doubtful(self, column: int) -> str:
        """Return a cell of a column that a decimal point or comma would tell apart, "" for none."""
        return marks_of(self.cells[column], self.separator, self.comma_land).doubtful

    @property
    def comma_land(self) -> bool:
        """Whether its dates are written as where the comma is the decimal mark."""
        cells = () if self.dates is None else self.cells[self.dates]
        return bool(cells) and all(re.match(r"\d{1,2}\.\d{1,2}\.\d{2}", c) for c in cells if c)


def read_table(content: bytes | str) -> SeriesTable:
    """Read CSV, TSV, or numbers with spaces or one a line, with or without a header.

    Raises UserError for a file that is too large or no text, and for one without numbers.
    """
    if len(content) > MAX_BYTES:
        raise UserError(f"This table is larger than {MAX_BYTES // 1_000_000} MB: give less of it.")
    rows, separator = split_rows(decode(content))
    notes: list[str] = []
    rows = [[cell.strip() for cell in row] for row in rows]
    rows = _turned(_without_title(rows, notes), notes)
    if not rows:
        raise UserError(NO_NUMBERS)
    width = Counter(map(len, rows)).most_common(1)[0][0]
    if width > MAX_COLUMNS:
        raise UserError(f"This table has {width:,} columns: give at most {MAX_COLUMNS}.")
    header = _is_header(rows)
    names = _names(rows[0][:width] if header else [], width)
    rows = [[*row, *[""] * width][:width] for row in rows[header:]]
    if len(rows) > MAX_VALUES:
        raise UserError(f"This table has {len(rows):,} rows: give at most {MAX_VALUES:,}.")
    columns = [tuple(column) for column in zip(*rows, strict=True)]
    return _kinds(names, columns, separator, notes)


def _without_title(rows: list[list[str]], notes: list[str]) -> list[list[str]]:
    """Drop what stands above a table: rows with few cells beside those that follow."""
    usual = Counter(map(_filled, rows)).most_common(1)[0][0] if rows else 0
    start = 0
    while usual > 1 and start < len(rows) - 2 and _is_title(rows[start], usual):
        start += 1
    if start:
        notes.append(f"Lines above the table, left out: {start}.")
    return rows[start:]


def _filled(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _is_title(row: Sequence[str], usual: int) -> bool:
    if _filled(row) > 1:
        return _filled(row) < usual / 2
    return not any(_is_value(cell) for cell in row if cell)


def _is_value(cell: str) -> bool:
    return number(cell) is not None or _is_date(cell)


def _turned(rows: list[list[str]], notes: list[str]) -> list[list[str]]:
    """Turn a table with a series a row and dates as names of columns, so that each is a column."""
    first = next((at for at, cell in enumerate(rows[0]) if _is_value(cell)), 0) if rows else 0
    named = rows[0][first:] if rows else []
    if not first or len(named) < LEAST_DATES or not parse_dates([cell for cell in named if cell]):
        return rows
    if any(number(cell) is not None for row in rows[1:] for cell in row[:1]):
        return rows
    notes.append("Each row was read as a series, since the columns are named by dates.")
    filled = [[*row, *[""] * len(rows[0])][: len(rows[0])] for row in rows]
    titles = [" ".join(cell for cell in row[:first] if cell) for row in filled]
    turned = zip(*(row[first:] for row in filled), strict=True)
    return [["date", *titles[1:]], *(list(row) for row in turned if row[0])]


def _names(header: Sequence[str], width: int) -> tuple[str, ...]:
    """Return names of so many columns; those that are alike are numbered."""
    names: list[str] = []
    for at in range(width):
        name = (header[at] if at < len(header) else "") or f"column {at + 1}"
        alike = sum(name == other or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({alike + 1})" if name in names else name)
    return tuple(names)


def _is_header(rows: list[list[str]]) -> int:
    """Return 1 if the first row names the columns, else 0."""
    first, *below = rows
    if any(map(_is_value, first)):
        # Numbers may name columns beside a word that stands above numbers or dates.
        return int(any(_names_column(cell, at, below) for at, cell in enumerate(first)))
    return int(not all(map(is_missing, first)))


def _names_column(cell: str, at: int, below: Sequence[Sequence[str]]) -> bool:
    if is_missing(cell) or _is_value(cell):
        return False
    cells = [row[at] for row in below[:HEADED] if at < len(row)]
    return len(cells) > 1 and sum(map(_is_value, cells)) > MOSTLY * len(cells)


def _is_date(cell: str) -> bool:
    return cell[:1].isdigit() and bool(DATE_LIKE.search(cell))


def _kinds(
    names: tuple[str, ...], columns: list[tuple[str, ...]], separator: str, notes: list[str]
) -> SeriesTable:
    used, times = _dates(names, columns)
    numeric = [at for at, cells in enumerate(columns) if _is_numeric(cells)]
    kept = [at for at in numeric if at not in used]
    if not kept and numeric:
        kept, used, times = numeric, [], []
    if not kept:
        raise UserError(NO_NUMBERS)
    if not used:
        notes.extend(_unread_dates(names, columns, kept))
    elif len(offsets_of(columns[used[0]])) > 1:
        notes.append("Times of several offsets from UTC were put into that of the first.")
    return SeriesTable(
        names,
        tuple(columns),
        used[0] if used else None,
        tuple(kept),
        tuple(times),
        separator,
        tuple(notes),
    )


def _dates(names: Sequence[str], columns: Sequence[tuple[str, ...]]) -> tuple[list[int], Dates]:
    """Return the columns that make the dates, [] for none, and the dates."""
    joined = {kind: at for at, name in enumerate(names) if (kind := _part_of_date(name))}
    if "year" in joined and "month" in joined:
        used = [joined[kind] for kind in ("year", "month", "day") if kind in joined]
        parts = zip(*(columns[at] for at in used), strict=True)
        if found := parse_dates(["-".join(part) for part in parts]):
            return used, found
    for at, cells in enumerate(columns):
        if found := parse_dates(cells, names[at]):
            return _with_times(at, found, columns)
    return [], []


def _part_of_date(name: str) -> str:
    for kind, words in (("year", YEAR), ("month", MONTH), ("day", DAY)):
        if words.fullmatch(name):
            return kind
    return ""


def _with_times(
    at: int, found: Dates, columns: Sequence[tuple[str, ...]]
) -> tuple[list[int], Dates]:
    """Join days with the times of day of another column, if there is one."""
    if any(date and (date.hour or date.minute) for date in found):
        return [at], found
    other = next((place for place, cells in enumerate(columns) if are_times(cells)), None)
    if other is None:
        return [at], found
    pairs = zip(columns[at], columns[other], strict=True)
    joined = parse_dates([f"{day} {time}" for day, time in pairs])
    return ([at, other], joined) if joined else ([at], found)


def _counts_rows(cells: Sequence[str]) -> bool:
    """Tell whether a column only numbers the rows, so that it is no series to begin with."""
    first = number(cells[0])
    return first is not None and all(number(cell) == first + at for at, cell in enumerate(cells))


def _unread_dates(
    names: Sequence[str], columns: Sequence[Sequence[str]], numbers: Sequence[int]
) -> list[str]:
    """Say that a column was not understood as dates, if there is one that seems to hold them."""
    for at, cells in enumerate(columns):
        distinct = len(set(cells)) > MOSTLY * len(cells) and re.search(r"\d", cells[0])
        named = COUNTED_NAMES.search(names[at]) or _part_of_date(names[at])
        if at not in numbers and (distinct or named):
            return [
                f"The column {names[at][:60]!r} was not understood as dates ({cells[0][:30]!r}), "
                "so the rows count as equally spaced, in their order."
            ]
    return []


def _is_numeric(cells: Sequence[str]) -> bool:
    present = [cell for cell in cells if not is_missing(cell)]
    found = sum(number(cell) is not None for cell in present)
    return len(present) > 0 and found >= MOSTLY * len(present)


def series_of(
    table: SeriesTable, column: int | None = None, frequency: str = "", decimal: str = ""
) -> Series:
    """Make a series of one column of numbers, the first if none is named.

    What had to be repaired is told in its notes: rows out of order are sorted, values of one
    period are averaged, periods without one are missing, cells that are no numbers too.
    frequency: a code, "" to infer it from the dates. decimal: the mark before decimals, "." or ",",
    "" for the one that the column tells. Raises UserError where nothing is left.
    """
    column = table.first if column is None else column
    notes = list(table.notes)
    values = _values(table, column, decimal, notes)
    start, name = "", table.names[column]
    if table.dates is not None:
        values, start, frequency = _regular(values, table.times, frequency, notes)
        notes.extend(_several(table))
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < 2:
        raise UserError(f"The column {name[:60]!r} has fewer than two numbers: choose another.")
    if known[-1] < len(values) - 1:
        notes.append("Missing values at the end were left out: the forecast begins after the last.")
    return Series(values[known[0] : known[-1] + 1], frequency, start, name, tuple(notes))


def _several(table: SeriesTable) -> list[str]:
    """Say that a table seems to hold several series below each other, if it does."""
    dates = [date for date in table.times if date]
    if len(set(dates)) == len(dates):
        return []
    for at, cells in enumerate(table.cells):
        kinds = len(set(cells))
        pairs = set(zip(table.times, cells, strict=True))
        if at not in table.numbers and 1 < kinds <= len(cells) / 2 and len(pairs) == len(cells):
            return [
                f"The column {table.names[at][:60]!r} seems to name {kinds} series: give the rows "
                "of one of them."
            ]
    return []


def _values(table: SeriesTable, column: int, decimal: str, notes: list[str]) -> np.ndarray:
    cells = table.cells[column]
    marks = marks_of(cells, table.separator, table.comma_land)
    found = [number(cell, decimal or marks.decimal) for cell in cells]
    values = np.array([np.nan if value is None else value for value in found])
    if (np.abs(values) > LARGEST_VALUE).any():
        raise UserError(f"A value is larger than {LARGEST_VALUE:g}: divide all by one number.")
    if marks.doubtful and not decimal:
        read = number(marks.doubtful, marks.decimal)
        notes.append(f"{marks.doubtful} was read as {read:.10g}: if not, choose the decimal mark.")
    dated = np.array([date is not None for date in table.times] or [True] * len(values))
    if missing := int(np.isnan(values[dated]).sum()):
        notes.append(f"Cells without a number, counted as missing: {missing} of {len(values)}.")
    return values


def _regular(
    values: np.ndarray, dates: Sequence[datetime | None], frequency: str, notes: list[str]
) -> tuple[np.ndarray, str, str]:
    """Put values into the equal periods of their dates; returns them, their start and frequency."""
    pairs = [(date, value) for date, value in zip(dates, values, strict=True) if date]
    if len(pairs) < len(values):
        notes.append(f"Rows without a date, left out: {len(values) - len(pairs)}.")
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
        return values, "", code
    return _averaged(places, values, FREQUENCIES[code].title, notes), start, code


def _averaged(places: np.ndarray, values: np.ndarray, title: str, notes: list[str]) -> np.ndarray:
    """Return the mean value of each place, NaN for places without one."""
    known = ~np.isnan(values)
    size = int(places[-1]) + 1
    counts = np.bincount(places[known], minlength=size)
    sums = np.bincount(places[known], weights=values[known], minlength=size)
    doubled = len(places) - len(set(places.tolist()))
    if doubled:
        notes.append(f"Rows of the same period as another, averaged: {doubled}.")
    empty = size - len(set(places.tolist()))
    if empty:
        notes.append(f"Periods without a row ({title}), counted as missing: {empty}.")
    return np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
