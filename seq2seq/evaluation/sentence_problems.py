"""What is plainly wrong with one output beside its source and reference. Needs no torch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from seq2seq.evaluation.reply_metrics import repetitive

FEW = 3  # words that an output may be longer or shorter than its reference in any case


def _numbers(text: str) -> Counter[str]:
    return Counter(re.findall(r"\d+", text))


def _lost_numbers(source: str, reference: str, output: str) -> bool:
    """Tell whether a number is missing that source and reference both have in digits."""
    return bool((_numbers(source) & _numbers(reference)) - _numbers(output))


def _copied(source: str, reference: str, output: str) -> bool:
    said = output.casefold().strip()
    return said == source.casefold().strip() != reference.casefold().strip()


def _shorter(first: str, second: str) -> bool:
    """Tell whether one text has less than half of the words of another, and some fewer."""
    few, many = len(first.split()), len(second.split())
    return 2 * few < many and many - few > FEW


# Each takes the source, the reference and the output. A text that says no word is empty alone.
PROBLEMS: dict[str, Callable[[str, str, str], bool]] = {
    "repeats itself": lambda source, reference, output: (
        repetitive(output) and not repetitive(reference)
    ),
    "copies its source": _copied,
    "numbers left out": _lost_numbers,
    "less than half as long": lambda source, reference, output: _shorter(output, reference),
    "more than twice as long": lambda source, reference, output: _shorter(reference, output),
}
EMPTY = "empty"


def sentence_problems(source: str, reference: str, output: str) -> tuple[str, ...]:
    """Name the problems of an output: EMPTY, or those of PROBLEMS that it has.

    source: the text that was read, "" for a recording. Lengths are compared with the reference's.
    What no rule sees, such as a wrong word, is no problem here.
    """
    if not output.strip():
        return (EMPTY,) if reference.strip() else ()
    return tuple(name for name, has in PROBLEMS.items() if has(source, reference, output))
