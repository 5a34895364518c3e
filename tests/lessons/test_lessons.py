import inspect
from importlib import import_module
from pathlib import Path

import pytest

from seq2seq.experiments.registry import NAMES
from seq2seq.lessons.course import LESSONS

ROOT = Path(__file__).parents[2]


def test_there_is_a_lesson_for_every_experiment():
    assert list(LESSONS) == list(NAMES)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
@pytest.mark.parametrize("value", [-1e9, 0, 0.3, 7, 49.9, 50, 4_000, 1e9])
def test_one_answer_holds_of_any_value(lesson, value):
    assert sum(choice.holds(value) for choice in lesson.choices) == 1
    assert lesson.right(value).holds(value)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_what_can_be_changed_is_a_setting_of_the_experiment(lesson):
    module = import_module(f"seq2seq.experiments.{NAMES[lesson.name]}")
    settings = inspect.signature(module.run).parameters
    for control in lesson.controls:
        assert settings[control.setting].default == control.values[0]
        assert len({type(value) for value in control.values}) == 1
        assert len(set(control.values)) == len(control.values)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_a_lesson_is_whole(lesson):
    assert 3 <= len(lesson.choices) <= 4
    assert lesson.question.endswith("?")
    for text in (lesson.claim, lesson.why, lesson.not_shown):
        assert text[-1] in ".?"
    assert lesson.deeper
    for link in lesson.deeper:
        assert (ROOT / link.page).is_file()
