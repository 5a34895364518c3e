"""The lessons in their order."""

from __future__ import annotations

from seq2seq.lessons.advantages import ADVANTAGES
from seq2seq.lessons.disadvantages import DISADVANTAGES
from seq2seq.lessons.foundations import FOUNDATIONS
from seq2seq.lessons.lesson import Lesson

BEGINNING = 3  # lessons on how they work that come before the claims; the others come last

# The parts of the course by their titles.
PARTS: dict[str, tuple[Lesson, ...]] = {
    "How they work": FOUNDATIONS[:BEGINNING],
    "What they are good at": ADVANTAGES,
    "What they are bad at": DISADVANTAGES,
    "In programs and in names": FOUNDATIONS[BEGINNING:],
}
LESSONS: dict[str, Lesson] = {lesson.name: lesson for part in PARTS.values() for lesson in part}
