"""Links of a lesson open other pages with what stands in the lesson."""

import pytest

from seq2seq.lessons.course import LESSONS
from ui.learn import inputs


@pytest.fixture
def session(monkeypatch):
    values = {}
    monkeypatch.setattr(inputs.st, "session_state", values)
    return values


def links(name):
    return [dict(link.query) for link in LESSONS[name].deeper]


def test_untouched_lessons_link_to_what_they_show_first(session):
    for lesson in LESSONS.values():
        for link in lesson.deeper:
            assert inputs.as_it_stands(lesson, dict(link.query)) == dict(link.query)


def test_sentence_model_and_step_go_along(session):
    lesson = LESSONS["how-it-works"]
    session["how_it_works_sentence"] = " The old  dog sleeps."
    session["how_it_works_model"] = "transformer-en-fr"
    session["how_it_works_step"] = 3
    found = inputs.as_it_stands(lesson, links("how-it-works")[0])
    wanted = {"text": "The old dog sleeps.", "checkpoint": "transformer-en-fr", "step": "3"}
    assert found == wanted


def test_an_edited_reference_goes_along(session):
    session["reference"] = "Le vieux lit."
    session["teacher_forcing_sentence"] = "The old man reads."
    found = inputs.as_it_stands(LESSONS["teacher-forcing"], links("teacher-forcing")[0])
    assert (found["text"], found["reference"]) == ("The old man reads.", "Le vieux lit.")


def test_the_model_of_an_experiment_goes_along_where_a_page_takes_one(session):
    lesson = LESSONS["context-kept"]
    session["context_kept_model"] = "gru-vanilla-en-fr"
    for query in links("context-kept"):
        assert inputs.as_it_stands(lesson, query)["checkpoint"] == "gru-vanilla-en-fr"


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_sentence_leaves_the_lessons_own(session, text):
    session["latency_sentence"] = text
    query = links("latency")[0]
    assert inputs.as_it_stands(LESSONS["latency"], dict(query)) == query
