"""A column of numbers as people write them: grouped thousands, a decimal comma, signs and units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

POINT, COMMA = ".", ","
MARKS = (POINT, COMMA)
MISSING_WORDS = {"", "?", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "–", "—", "."}
MISSING_WORDS |= {"..", "...", "missing", "k.a."}
MISSING_WORDS |= {f"{sign}{word}" for sign in ("", "+", "-") for word in ("inf", "infinity")}
UNITS = re.compile(r"[€$£¥%]|\b(?:EUR|USD|GBP|CHF)\b")
MINUS = str.maketrans("−–—‒﹣－", "------")  # a dash in front of a number
PLAIN = re.compile(r"-?\d+(?:\.\d+)?")  # most numbers, which need no closer look
GROUPED = re.compile(r"\d{1,3}(?:[\s'’_]\d{3})+(?!\d)")  # thousands apart, not by a mark


class Marks(NamedTuple):
    """How the numbers of a column are written.

    decimal: the mark before the decimals, POINT or COMMA. doubtful: a cell that the other mark
    would make another number, "" where there is none.
    """

    decimal: str = POINT
    doubtful: str = ""


def is_missing(cell: str) -> bool:
    """Tell whether a cell says that there is no value."""
    return cell.strip().lower() in MISSING_WORDS


def number(cell: str, decimal: str = POINT) -> float | None:
    """Read one number, as "1,234.5", "1 234,5", "(12)", "12 %" or "$3": None for what is none.

    Infinite where it is too large for a number of 64 bits. decimal: the mark that wins where a cell
    can be read with either.
    """
    if decimal == POINT and PLAIN.fullmatch(cell):
        return float(cell)
    text = _bare(cell)
    other = COMMA if decimal == POINT else POINT
    for mark, group in ((decimal, other), (other, decimal)):
        grouped = rf"[-+]?\d{{1,3}}(?:{re.escape(group)}\d{{2,3}})*{re.escape(group)}\d{{3}}"
        if re.fullmatch(rf"{grouped}(?:{re.escape(mark)}\d*)?", text):
            return float(text.replace(group, "").replace(mark, "."))
        plain = rf"[-+]?(?:\d+(?:{re.escape(mark)}\d*)?|{re.escape(mark)}\d+)(?:[eE][-+]?\d+)?"
        if re.fullmatch(plain, text):
            return float(text.replace(mark, "."))
    return None


def _bare(cell: str) -> str:
    """Return a cell without units and with a plain sign in front."""
    text = UNITS.sub("", cell).strip().translate(MINUS)
    if negative := re.fullmatch(r"\((.+)\)|([\d.,\s]+)-", text):
        text = f"-{(negative[1] or negative[2]).strip()}"
    text = re.sub(r"^([-+])\s+", r"\1", text)
    return GROUPED.sub(lambda match: re.sub(r"\D", "", match[0]), text)


def marks_of(cells: Sequence[str], separator: str = COMMA, comma_land: bool = False) -> Marks:
    """Tell which mark stands before the decimals of a column.

    Most columns tell by themselves: "1,5", "0.125" and "1.234,5" can be read in one way only. Where
    none does, as in "1.250", what stands around counts. separator: between the cells of the table;
    comma_land: its dates are written as where the comma is the decimal mark.
    """
    marked = [text for text in map(_bare, cells) if re.search("[.,]", text)]
    marked = [text for text in marked if number(text) is not None]
    certain = [mark for text in marked if (mark := _certain_mark(text))]
    if certain:
        return Marks(max(MARKS, key=certain.count))
    if not marked:
        return Marks()
    written = POINT if POINT in marked[0] else COMMA
    other = COMMA if written == POINT else POINT
    if written == COMMA:  # spreadsheets put semicolons where the comma is taken
        decimal = (comma_land or separator == ";") and not _all_round(marked)
        return Marks(written if decimal else other, "" if separator == COMMA else marked[0])
    grouped = comma_land or _continues(cells)
    return Marks(other if grouped else written, marked[0] if grouped or separator == ";" else "")


def _certain_mark(text: str) -> str:
    """Return the decimal mark of a number that can be read in one way only, "" for any other."""
    last = max(text.rfind(POINT), text.rfind(COMMA))
    mark, before, after = text[last], text[:last].lstrip("+-"), text[last + 1 :]
    other = COMMA if mark == POINT else POINT
    if mark in before:
        return other if number(text, other) is not None else ""
    if other in before:
        return mark
    groups = re.fullmatch(r"[1-9]\d{0,2}", before) and re.fullmatch(r"\d{3}", after)
    return "" if groups or number(text, mark) is None else mark


def _all_round(marked: Sequence[str]) -> bool:
    return all(text.endswith("000") for text in marked)


def _continues(cells: Sequence[str]) -> bool:
    """Tell whether marks must group thousands, since the numbers without one end below 1,000.

    As 980, 990, 1.000: a decimal point would make them fall to a thousandth.
    """
    whole = [float(text) for text in map(_bare, cells) if re.fullmatch(r"\d+", text)]
    return bool(whole) and 100 <= max(whole) < 1000
