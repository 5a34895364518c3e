"""The lessons in their order."""

from __future__ import annotations

from seq2seq.lessons.advantages import ADVANTAGES
from seq2seq.lessons.disadvantages import DISADVANTAGES
from seq2seq.lessons.lesson import Lesson

LESSONS: dict[str, Lesson] = {lesson.name: lesson for lesson in (*ADVANTAGES, *DISADVANTAGES)}
