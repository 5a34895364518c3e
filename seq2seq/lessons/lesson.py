"""A lesson: what it explains or claims, a question to the reader, the experiment that answers."""

from __future__ import annotations

import math
from dataclasses import dataclass

INFINITE = math.inf


@dataclass(frozen=True)
class Choice:
    """An answer: that the experiment's value will lie in [low, high).

    meaning: what would be the case if it did, shown when it does not.
    """

    label: str
    low: float
    high: float
    meaning: str

    def holds(self, value: float) -> bool:
        """Tell whether a value is what this answer said."""
        return self.low <= value < self.high


@dataclass(frozen=True)
class Control:
    """One thing to change and run again: a setting of the experiment, and the values offered.

    The first value is the experiment's own.
    """

    setting: str
    label: str
    values: tuple[int | float | str, ...]


@dataclass(frozen=True)
class Link:
    """A page that goes deeper, and what its address sets."""

    page: str
    label: str
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Section:
    """A part that explains. text: Markdown, with formulas as KaTeX reads them.

    code: what a notebook runs there, "" for nothing. view: what the page shows there, by its name
    in ui/learn/views.py, "" for nothing.
    """

    title: str
    text: str
    code: str = ""
    view: str = ""


@dataclass(frozen=True)
class Lesson:
    """name: in addresses, and of its experiment. claim: in the textbook's words, short.

    claim, question: "" where there is none; without a question, no experiment is run. why: a
    paragraph. choices: do not overlap, and one of them holds of any value. on_figure: the value is
    on the figure's vertical axis, so that an answer can be drawn there. not_shown: what the
    experiment does not tell. sections: what is explained before the question. sentence: what the
    experiment reads unless the visitor types another one, "" where it reads no sentence of theirs.
    """

    name: str
    title: str
    claim: str
    why: str
    question: str
    choices: tuple[Choice, ...]
    controls: tuple[Control, ...]
    not_shown: str
    deeper: tuple[Link, ...]
    on_figure: bool = True
    sections: tuple[Section, ...] = ()
    sentence: str = ""

    def right(self, value: float) -> Choice:
        """Return the choice that holds of a value."""
        return next(choice for choice in self.choices if choice.holds(value))

    def place(self, value: float) -> float:
        """Return where a value lies when all choices are drawn side by side, each 1 wide, from 0.

        Choices without an end are taken to be as wide as the one beside them, and what lies beyond
        stands at their edge.
        """
        at = self.choices.index(self.right(value))
        low, high = self.choices[at].low, self.choices[at].high
        widths = [each.high - each.low for each in self.choices if math.isfinite(each.low)]
        width = next((each for each in widths if math.isfinite(each)), max(1.0, abs(value)))
        low = low if math.isfinite(low) else high - width
        high = high if math.isfinite(high) else low + width
        return at + min(0.97, max(0.03, (value - low) / (high - low)))


def ranges(*parts: tuple[str, float, str]) -> tuple[Choice, ...]:
    """Return choices that follow each other: (label, where it begins, meaning); the first at -∞."""
    starts = [-INFINITE, *(start for _, start, _ in parts[1:]), INFINITE]
    return tuple(
        Choice(label, starts[place], starts[place + 1], meaning)
        for place, (label, _, meaning) in enumerate(parts)
    )
