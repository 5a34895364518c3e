"""A column of dates as people and programs write them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from seq2seq.data.frequency import infer_frequency, periods

Dates = list[datetime | None]

TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
DAYS = ("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d")
NAMED_DAYS = ("%d-%b-%Y", "%b-%d-%Y", "%Y-%b-%d", "%d-%b-%y")
MONTHS = ("%Y-%m", "%m-%Y", "%b-%Y", "%Y-%b", "%b-%y", "%y-%b")
DIGITS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d"}  # by how many there are
# What tells a month in English, German, French, Spanish, Italian, Portuguese or Dutch.
MONTH_WORDS = (
    "jan gen ene", "feb fev", "mar maa mrt", "apr avr abr", "may mai mei mag", "jun juin giu",
    "jul juil lug", "aug aou ago", "sep set", "oct okt ott out", "nov", "dec dez dic",
)  # fmt: skip
ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_OF = {
    word: english
    for words, english in zip(MONTH_WORDS, ENGLISH, strict=True)
    for word in words.split()
}
NAMED_PERIODS = (
    r"(?P<year>\d{4})[-/ ]?(?P<kind>Q|T|M|W|KW|CW|WEEK)[-/ ]?(?P<count>\d{1,2})",
    r"(?P<kind>Q|T|M|W|KW|CW|WEEK)[-/ ]?(?P<count>\d{1,2})[-/ ]?(?P<year>\d{4})",
    r"(?P<count>[1-4])[-/ ]?(?P<kind>Q|T)[-/ ]?(?P<year>\d{4}|\d{2})",
)
TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2})?( ?[AaPp]\.?[Mm]\.?)?")
EPOCH = datetime(1970, 1, 1)
SPREADSHEET = datetime(1899, 12, 30)  # day 0 of Excel's serial numbers
COUNTED_NAMES = re.compile(r"date|datum|time|zeit|fecha|ds|timestamp|unix|epoch", re.IGNORECASE)
EARLIEST, LATEST = 1600, 2300  # years
LONGEST = 64  # characters of a cell that are looked at, and beyond which no date goes on
LEAST_READ = 0.9  # of the cells, so that a column counts as dates
REGULAR = 0.8  # of the steps, so that what looks like a number counts as a date
SAMPLE = 50  # cells that are looked at first
PROBED = 8  # of those, cells that a format is tried on before it is tried on all
DECIMAL = re.compile(r"[-+]?\d+[.,](?:\d{1,3}|\d{5,})")  # what cannot be a month and a year


def parse_dates(cells: Sequence[str], name: str = "") -> Dates:
    """Read a column of dates in the one format that fits it best; [] for no dates.

    Days, months by number or name, quarters and weeks (2020-Q3, 2020-W07), years, times with or
    without their offset from UTC. Day and month are told apart by what makes the steps regular.
    name: of the column; where it says so, numbers count seconds, or days of a spreadsheet.
    """
    # Finding the parts of a date takes as long as the square of a cell's length.
    cells = [cell[:LONGEST] for cell in cells]
    present = [cell for cell in cells if cell]
    if len(present) < 2 or len(present) < 0.8 * len(cells):
        return []
    if all(map(DECIMAL.fullmatch, present[:PROBED])):
        return []
    if len(cells) > 4 * SAMPLE and not _read(present[:: len(present) // SAMPLE], name):
        return []
    found = _read(cells, name)
    return found if _are_near(found) and not _are_values(present, found) else []


def _are_near(dates: Dates) -> bool:
    """Tell whether there are dates, all of years that a series may be of."""
    years = [date.year for date in dates if date]
    return EARLIEST <= min(years, default=0) <= max(years, default=0) <= LATEST


def _read(cells: Sequence[str], name: str) -> Dates:
    written = [_plain(cell) for cell in cells]
    found = _iso(cells) or _named_periods(written) or _formatted(written)
    return found or _counted(cells, name)


def offsets_of(cells: Sequence[str]) -> set[str]:
    """Return the offsets from UTC that times are written with, as "+02:00"."""
    return {match[1] for cell in cells if (match := re.search(r":\d\d([-+]\d\d:?\d\d)$", cell))}


def are_times(cells: Sequence[str]) -> bool:
    """Tell whether cells hold times of day, which belong to a column of dates."""
    return bool(cells) and all(map(TIME_OF_DAY.fullmatch, cells))


def _are_values(present: Sequence[str], found: Dates) -> bool:
    """Tell whether dates that look like numbers are values, as 1990 or 1.1843."""
    dates = [date for date in found if date]
    if all(re.fullmatch(r"\d{4}", cell) for cell in present):
        steps = {later.year - date.year for date, later in pairwise(dates)}
        return len(steps) > 3 or not (steps <= set(range(1, 11)) or steps <= set(range(-10, 0)))
    if re.fullmatch(r"\d+[.,]\d+", present[0]):
        return len({date.month for date in dates}) < 2 or regularity(found) < REGULAR
    return bool(re.fullmatch(r"\d{6}", present[0])) and regularity(found) < REGULAR


def _plain(cell: str) -> str:
    """Write a date with hyphens between its parts and English names of months."""
    text = unicodedata.normalize("NFD", cell)
    text = "".join(each for each in text if not unicodedata.combining(each))
    text = re.sub(r"\s*(?:UTC|GMT|Z)$", "", text)
    text = re.sub(r"([AaPp])\.?([Mm])\.?$", r"\1\2", text)
    text = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", text)
    text = re.sub(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? ", "", text, flags=re.IGNORECASE)
    day, time = _parted(text.strip())
    day = re.sub(r"[A-Za-z]{3,}", lambda word: _english(word[0]), day)
    day = re.sub(r"\s*(?:\bde\b|\bdu\b)\s*", " ", day)
    return re.sub(r"[-/.,\s]+", "-", day).strip("-") + (f" {time}" if time else "")


def _parted(text: str) -> tuple[str, str]:
    """Part a date from its time of day, "" for none; fractions of a second are cut off."""
    match = re.search(r"[T\s]+(\d{1,2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?( ?[AaPp][Mm])?$", text)
    if match is None:
        return text, ""
    half = match[2].strip().upper() if match[2] else ""
    return text[: match.start()], f"{match[1]} {half}".strip()


def _english(word: str) -> str:
    lower = word.lower()
    return MONTH_OF.get(lower[:4]) or MONTH_OF.get(lower[:3]) or word


def _iso(cells: Sequence[str]) -> Dates:
    """Read dates of ISO 8601; of several offsets from UTC, all get that of the first."""
    found: Dates = []
    for cell in cells:
        try:
            found.append(datetime.fromisoformat(cell) if re.match(r"\d{4}-", cell) else None)
        except ValueError:
            found.append(None)
    if not _are_near(found):  # nor can each be put into another offset from UTC
        return []
    offset = next((date.tzinfo for date in found if date and date.tzinfo), None)
    if offset is not None:
        found = [date and date.astimezone(offset).replace(tzinfo=None) for date in found]
    found = [date and date.replace(microsecond=0) for date in found]
    return found if _is_read(found, cells) else []


def _is_read(found: Dates, cells: Sequence[str]) -> bool:
    return len(found) - found.count(None) >= LEAST_READ * sum(map(bool, cells))


def _named_periods(cells: Sequence[str]) -> Dates:
    found = [_named_period(cell) for cell in cells]
    return found if _is_read(found, cells) else []


def _named_period(cell: str) -> datetime | None:
    matches = (re.fullmatch(form, cell, re.IGNORECASE) for form in NAMED_PERIODS)
    match = next((each for each in matches if each), None)
    if match is None:
        return None
    year, count, kind = int(match["year"]), int(match["count"]), match["kind"].upper()
    year += 2000 if year < 100 else 0
    try:
        if "W" in kind:
            return datetime.fromisocalendar(year, count, 1)
        return datetime(year, count if kind == "M" else 3 * count - 2, 1)
    except ValueError:
        return None


def _formatted(cells: Sequence[str]) -> Dates:
    """Read dates by the format that reads the most of them, and of those the most regular."""
    present = [cell for cell in cells if cell]
    sample = present[:: max(1, len(present) // SAMPLE)]
    forms = [day + time for day in (*DAYS, *NAMED_DAYS) for time in TIMES] + [*MONTHS]
    if all(cell.isdigit() for cell in sample):  # strptime takes "202411" for a day, too
        forms = [DIGITS[len(sample[0])]] if len(sample[0]) in DIGITS else []
    tried = [
        dates
        for form in forms
        if any(_parse(cell, form) for cell in sample[:PROBED])
        and _is_read(dates := [_parse(cell, form) for cell in cells], cells)
        and _are_near(dates)
    ]
    return max(tried, key=lambda dates: (-dates.count(None), regularity(dates)), default=[])


def _parse(cell: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(cell, form)
    except ValueError:
        return None


def regularity(dates: Dates) -> float:
    """Return the share of dates that come one usual step after the one before, 0 to 1."""
    ordered = sorted(date for date in dates if date)
    code = infer_frequency(ordered)
    if not code:
        steps = Counter(later - date for date, later in pairwise(ordered))
        return max(steps.values(), default=0) / max(1, len(ordered))
    numbers = periods(ordered, code)
    return sum(later - number == 1 for number, later in pairwise(numbers)) / len(ordered)


def _counted(cells: Sequence[str], name: str) -> Dates:
    """Read numbers that count from a date: seconds, milliseconds, or days of a spreadsheet."""
    if not COUNTED_NAMES.search(name) and name.lower() != "t":
        return []
    counts = [float(cell) if re.fullmatch(r"\d{5,13}(\.\d+)?", cell) else None for cell in cells]
    known = [count for count in counts if count is not None]
    if len(known) < LEAST_READ * len(cells):
        return []
    begin, unit = EPOCH, timedelta(seconds=1)
    if max(known) < 100_000:
        begin, unit = SPREADSHEET, timedelta(days=1)
    elif min(known) > 1e11:
        unit = timedelta(milliseconds=1)
    try:
        return [None if count is None else begin + count * unit for count in counts]
    except OverflowError:  # beyond the calendar
        return []
