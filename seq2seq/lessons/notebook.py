"""A lesson as a Jupyter notebook, made from the same object as its page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from seq2seq.analysis.model_outline import outline
from seq2seq.checkpoint import Checkpoint
from seq2seq.lessons.course import LESSONS
from seq2seq.lessons.foundations import FIRST_MODEL
from seq2seq.lessons.lesson import Lesson, Section
from seq2seq.lessons.notebook_format import Cell, code_cell, notebook_of, text_cell, written
from seq2seq.lessons.workflow import mermaid, plain_text, workflow

WORKFLOW = "workflow"  # the view that a notebook shows as a diagram

Cells = list[Cell]


def notebook(
    lesson: Lesson, load: Callable[[str], Checkpoint] | None, missing: str = ""
) -> dict[str, Any]:
    """Return a lesson as the values of a notebook's JSON.

    load: opens the checkpoint whose shapes a diagram shows, None for `missing` in its place.
    """
    cells = [text_cell(f"# {lesson.title}"), *_introduction(lesson)]
    for section in lesson.sections:
        cells += _section(section, load, missing)
    if lesson.question:
        cells += _experiment(lesson)
    cells.append(text_cell(f"**What this does not show.** {lesson.not_shown}"))
    return notebook_of(cells, lesson.name)


def write_all(folder: Path, load: Callable[[str], Checkpoint]) -> list[Path]:
    """Write every lesson into a folder, in the order of the course; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for place, lesson in enumerate(LESSONS.values(), start=1):
        files.append(folder / f"{place:02}-{lesson.name}.ipynb")
        files[-1].write_text(written(notebook(lesson, load)), encoding="utf-8")
    return files


def _introduction(lesson: Lesson) -> Cells:
    claim = f"> {lesson.claim} (the textbook)\n\n" if lesson.claim else ""
    return [text_cell(f"{claim}{lesson.why}")]


def _section(section: Section, load: Callable[[str], Checkpoint] | None, missing: str) -> Cells:
    cells = [text_cell(f"## {section.title}\n\n{section.text}")]
    if section.view == WORKFLOW:
        cells.append(text_cell(_diagram(load) if load is not None else missing))
    if section.code:
        cells.append(code_cell(section.code))
    return cells


def _diagram(load: Callable[[str], Checkpoint]) -> str:
    stages = workflow(outline(load(FIRST_MODEL)))
    return (
        f"The shapes of {FIRST_MODEL}:\n\n```mermaid\n{mermaid(stages)}\n```\n\n"
        f"```text\n{plain_text(stages)}\n```"
    )


def _experiment(lesson: Lesson) -> Cells:
    choices = "\n".join(f"{at}. {each.label}" for at, each in enumerate(lesson.choices, start=1))
    cells = [
        text_cell(
            f"## Predict\n\n{lesson.question}\n\n{choices}\n\nWrite the number of your answer."
        ),
        code_cell("ANSWER = 1"),
        code_cell(_RUN.format(name=lesson.name)),
        code_cell(_VERDICT),
        code_cell(_FIGURE),
        *(code_cell(_ALSO.format(place=place)) for place in range(MOST_ALSO)),
    ]
    settings = [(each.setting, each.label, each.values) for each in lesson.controls]
    offered = "\n".join(
        f"- `{setting}`: {label}, for instance {', '.join(map(repr, values))}"
        for setting, label, values in [*settings, ("seed", "the seed", (0, 1, 2))]
    )
    setting, values = (settings[0][0], settings[0][2]) if settings else ("seed", (0, 1))
    changed = f'again = measure("{lesson.name}", {setting}={values[1]!r})\nprint(again.sentence)'
    return [*cells, text_cell(f"## Change this, and run it again\n\n{offered}"), code_cell(changed)]


_RUN = """\
from functools import cache

import seq2seq
from seq2seq.experiments.registry import run_experiment
from seq2seq.lessons.course import LESSONS

load = cache(seq2seq.load)


def measure(name, seed=0, **settings):
    return run_experiment(name, load, lambda *part: None, seed, **settings)


lesson = LESSONS["{name}"]
result = measure(lesson.name)
print(f"{{result.value:.3g}} {{result.unit}}")"""

_VERDICT = """\
answer = lesson.choices[ANSWER - 1]
right = lesson.right(result.value)
print(f"Verdict: {result.verdict}. {result.sentence}")
print(f"You said {answer.label!r}; right is {right.label!r}: {right.meaning}.")
for each in (result, *result.also):
    print(f"{each.counts}; seed {each.seed}; {each.seconds:.1f} s")
for each in result.also:
    print(f"Also{f' {each.verdict}' if each.verdict else ''}: {each.sentence}")"""

_FIGURE = """\
predicted = (answer.low, answer.high) if lesson.on_figure else None
seq2seq.figures.experiment(result, predicted)"""

MOST_ALSO = 2  # further measurements of one claim
_ALSO = "seq2seq.figures.experiment(result.also[{place}]) if len(result.also) > {place} else None"
