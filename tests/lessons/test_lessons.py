import inspect
from importlib import import_module
from pathlib import Path

import pytest

from seq2seq.analysis.model_outline import outline
from seq2seq.experiments.registry import CLAIMS, NAMES
from seq2seq.lessons.course import LESSONS
from seq2seq.lessons.foundations import FOUNDATIONS
from seq2seq.lessons.quiz import QUESTIONS
from seq2seq.lessons.workflow import mermaid, workflow
from ui.learn.views import VIEWS

ROOT = Path(__file__).parents[2]


MEASURED = {name: lesson for name, lesson in LESSONS.items() if lesson.question}


def test_there_is_a_lesson_for_every_experiment():
    assert set(MEASURED) == set(NAMES)
    assert [name for name, lesson in LESSONS.items() if lesson.claim] == list(CLAIMS)
    assert len(LESSONS) == len(CLAIMS) + len(FOUNDATIONS) == 18


def test_every_view_of_a_section_is_shown_somewhere():
    named = {section.view for lesson in LESSONS.values() for section in lesson.sections}
    assert named - {""} == set(VIEWS)


def test_the_quiz_asks_about_what_is_measured():
    assert len(QUESTIONS) == 12
    assert {question.lesson for question in QUESTIONS} <= set(MEASURED)
    for question in QUESTIONS:
        assert 0 <= question.right < len(question.answers) == len(set(question.answers))
        assert question.text.endswith("?")
    assert {question.right for question in QUESTIONS} >= {0, 1}


def test_stages_follow_the_model(checkpoint):
    shape = outline(checkpoint)
    names = [stage.name for stage in workflow(shape, 7)]
    assert ("Context" in names) == (shape.attention == "none")
    looks_later = shape.attention != "none" and shape.feeds in ("token", "readout")
    if shape.attention != "none":
        assert (names.index("Decode") < names.index("Attention")) == looks_later
    drawn = mermaid(workflow(shape, 7))
    assert drawn.count("-->") == len(names)
    assert "<s>" not in drawn


@pytest.mark.parametrize("lesson", MEASURED.values(), ids=list(MEASURED))
@pytest.mark.parametrize("value", [-1e9, 0, 0.3, 7, 49.9, 50, 4_000, 1e9])
def test_one_answer_holds_of_any_value(lesson, value):
    assert sum(choice.holds(value) for choice in lesson.choices) == 1
    assert lesson.right(value).holds(value)


@pytest.mark.parametrize("lesson", MEASURED.values(), ids=list(MEASURED))
def test_what_can_be_changed_is_a_setting_of_the_experiment(lesson):
    module = import_module(f"seq2seq.experiments.{NAMES[lesson.name]}")
    settings = inspect.signature(module.run).parameters
    for control in lesson.controls:
        assert settings[control.setting].default == control.values[0]
        assert len({type(value) for value in control.values}) == 1
        assert len(set(control.values)) == len(control.values)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_a_lesson_is_whole(lesson):
    assert lesson.claim or lesson.sections
    if lesson.question:
        assert 3 <= len(lesson.choices) <= 4
        assert lesson.question[-1] in "?."
        assert "?" in lesson.question
    for text in (lesson.claim or ".", lesson.why, lesson.not_shown):
        assert text[-1] in ".?"
    assert lesson.deeper
    for link in lesson.deeper:
        assert (ROOT / link.page).is_file()
