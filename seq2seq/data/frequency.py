"""How often a series is observed: its season, its usual horizon, and dates as numbered periods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from seq2seq.errors import UserError

EPOCH = datetime(1900, 1, 1)  # a Monday


class Frequency(NamedTuple):
    """One frequency.

    code: what files and options call it. title: what a reader calls it. season: observations after
    which a pattern usually repeats, 1 for none. horizon: observations that are usually forecast.
    context: observations of the past that tell most about those. minutes: that one observation
    stands for, on average.
    """

    code: str
    title: str
    season: int
    horizon: int
    context: int
    minutes: float


DAY = 24 * 60.0
FREQUENCIES = {
    each.code: each
    for each in (
        Frequency("Y", "yearly", 1, 6, 64, 365.25 * DAY),
        Frequency("Q", "quarterly", 4, 8, 96, 365.25 * DAY / 4),
        Frequency("M", "monthly", 12, 18, 144, 365.25 * DAY / 12),
        Frequency("W", "weekly", 1, 13, 128, 7 * DAY),
        Frequency("D", "daily", 7, 14, 128, DAY),
        Frequency("B", "every working day", 5, 10, 128, DAY),
        Frequency("H", "hourly", 24, 24, 192, 60),
        Frequency("30min", "half-hourly", 48, 24, 256, 30),
        Frequency("15min", "quarter-hourly", 96, 24, 256, 15),
        Frequency("10min", "every 10 minutes", 144, 24, 384, 10),
        Frequency("5min", "every 5 minutes", 288, 24, 384, 5),
        Frequency("min", "every minute", 60, 24, 192, 1),
    )
}
UNKNOWN_FREQUENCY = Frequency("", "unknown", 1, 12, 128, 0)


def frequency(code: str) -> Frequency:
    """Return a frequency by its code, "" for the unknown one. Raises UserError for another code."""
    if not code:
        return UNKNOWN_FREQUENCY
    if code not in FREQUENCIES:
        known = ", ".join(FREQUENCIES)
        raise UserError(f"There is no frequency {code[:20]!r}: use one of {known}.")
    return FREQUENCIES[code]


def _months(size: int) -> Callable[[datetime], int]:
    return lambda date: (12 * date.year + date.month - 1) // size


def _minutes(size: float) -> Callable[[datetime], int]:
    return lambda date: int((date - EPOCH) / timedelta(minutes=size))


def _working_days(date: datetime) -> int:
    weeks, day = divmod((date - EPOCH).days, 7)
    return 5 * weeks + min(day, 4)


def periods(dates: Sequence[datetime], code: str) -> list[int]:
    """Number the periods that dates fall into, so that neighbouring periods differ by 1.

    Weeks begin with the weekday that parts the most dates, that of the first date if it does.
    """
    months = {"Y": 12, "Q": 3, "M": 1}
    number: Callable[[datetime], int]
    if code in months:
        number = _months(months[code])
    elif code == "B":
        number = _working_days
    else:
        number = _minutes(FREQUENCIES[code].minutes)
        if code == "W" and dates:
            weekday = dates[0].weekday()
            begins = [timedelta(days=(weekday + days) % 7) for days in (0, 6, 5, 4, 3, 2, 1)]
            parted = [[number(date - begin) for date in dates] for begin in begins]
            return max(parted, key=lambda weeks: len(set(weeks)))
    return [number(date) for date in dates]


def dates(start: str, code: str, count: int) -> list[datetime]:
    """Return the beginnings of `count` periods from a date, written as 2020, 2020-05, 2020-05-31 or
    with a time; [] where the date cannot be read, is left out, or the frequency is unknown.
    """
    first = _date(start)
    if first is None or not code:
        return []
    try:
        return [_later(first, code, number) for number in range(count)]
    except (OverflowError, ValueError):  # beyond the calendar
        return []


def _date(written: str) -> datetime | None:
    filled = written + "-01-01"[len(written) - 4 :] if len(written) in (4, 7) else written
    try:
        return datetime.fromisoformat(filled).replace(tzinfo=None)
    except ValueError:
        return None


def _later(first: datetime, code: str, number: int) -> datetime:
    months = {"Y": 12, "Q": 3, "M": 1}
    if code in months:
        year, month = divmod(12 * first.year + first.month - 1 + number * months[code], 12)
        last = (datetime(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
        return first.replace(year=year, month=month + 1, day=min(first.day, last))
    if code == "B":
        weeks, day = divmod(min(first.weekday(), 4) + number, 5)
        return first - timedelta(days=first.weekday()) + timedelta(days=7 * weeks + day)
    return first + number * timedelta(minutes=FREQUENCIES[code].minutes)


def infer_frequency(dates: Sequence[datetime]) -> str:
    """Return the code whose period is nearest to the median step of dates in order.

    "" where there are fewer than two dates, or none is within a third of that step.
    """
    steps = sorted((later - date).total_seconds() / 60 for date, later in pairwise(dates))
    steps = [step for step in steps if step > 0]
    if not steps:
        return ""
    median = steps[len(steps) // 2]
    nearest = min(FREQUENCIES.values(), key=lambda each: abs(each.minutes - median))
    if abs(nearest.minutes - median) > nearest.minutes / 3:
        return ""
    weekends = any(date.weekday() > 4 for date in dates)
    if nearest.code in "DB":
        return "D" if weekends or len(dates) < 8 else "B"
    return nearest.code
