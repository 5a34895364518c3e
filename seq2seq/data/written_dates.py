"""A day in the many ways in which English writes dates."""

from __future__ import annotations

import random
from datetime import date

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# All tell day, month and year; where both are numbers the day comes first, as in Britain.
PATTERNS = (
    "{day} {month} {year}",
    "{day} {short} {year}",
    "{month} {day}, {year}",
    "{short} {day}, {year}",
    "{month} {ordinal}, {year}",
    "the {ordinal} of {month} {year}",
    "{weekday}, {day} {month} {year}",
    "{day}/{number}/{year}",
    "{day:02d}.{number:02d}.{year}",
    "{day}-{short}-{year}",
)


def written_date(day: date, draw: random.Random) -> str:
    """Write a day in one of PATTERNS."""
    month = MONTHS[day.month - 1]
    return draw.choice(PATTERNS).format(
        day=day.day,
        month=month,
        short=month[:3],
        number=day.month,
        year=day.year,
        ordinal=_ordinal(day.day),
        weekday=DAYS[day.weekday()],
    )


def _ordinal(day: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{day}{endings.get(day % 10, 'th') if day not in (11, 12, 13) else 'th'}"
