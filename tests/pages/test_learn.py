"""The course, by AppTest, with experiments that take no time."""

import pytest

from seq2seq.experiments import registry
from seq2seq.lessons.course import LESSONS
from tests.visit import charts, visit

pytestmark = pytest.mark.usefixtures("root")
ANSWER = {"answer_overfitting": "0.5 to 5 nats"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    real = registry.run_experiment

    def quick(name, load, on_part, seed=0, **settings):
        quicker = {"seconds": 0.2} if name == "overfitting" else {}
        return real(name, load, on_part, seed, **quicker | settings)

    monkeypatch.setattr(registry, "run_experiment", quick)


def test_the_contents_lead_to_every_lesson():
    at = visit("learn")
    assert not at.exception
    shown = " ".join(each.value for each in at.markdown)
    assert all(lesson.claim.split()[0] in shown for lesson in LESSONS.values())
    assert "0 of 13" in at.get("progress")[0].proto.text


def test_an_unknown_lesson_is_said_and_the_contents_are_there():
    at = visit("learn", lesson="**bold**")
    assert "no lesson" in at.warning[0].value
    assert at.title[0].value == "Course"


@pytest.mark.parametrize("name", LESSONS)
def test_nothing_runs_before_an_answer(name):
    at = visit("learn", lesson=name)
    assert not at.exception
    assert at.title[0].value == LESSONS[name].title
    assert at.button(key="run").disabled
    assert not charts(at)


@pytest.mark.parametrize("seed", ["0", "4"])
def test_an_answer_is_measured_and_judged(seed):
    at = visit("learn", lesson="overfitting", seed=seed, **ANSWER)
    at.button(key="run").click().run(timeout=60)
    assert not at.exception
    assert len(charts(at)) == 1
    assert "nats" in at.metric[0].value
    verdict = [*at.success, *at.error, *at.warning][0].value
    assert "claim" in verdict
    assert "You" in verdict
    assert f"seed {seed}" in at.caption[-1].value
    assert at.query_params["done"] in ("overfitting", ["overfitting"])


def test_a_control_measures_anew():
    at = visit("learn", lesson="overfitting", **ANSWER)
    at.button(key="run").click().run(timeout=60)
    at.selectbox(key="overfitting_pairs").set_value(200).run()
    assert not charts(at)
    at.button(key="run").click().run(timeout=60)
    assert "200 pairs" in at.caption[-1].value


def test_a_model_that_is_not_here_is_one_sentence():
    at = visit("learn", lesson="variable-length", **{"answer_variable_length": "50 to 100"})
    at.button(key="run").click().run(timeout=60)
    assert not at.exception
    assert "There is no checkpoint" in at.error[0].value
    assert at.title[0].value == LESSONS["variable-length"].title


def test_finished_lessons_stand_in_the_address():
    at = visit("learn", done="bottleneck.latency.nonsense")
    assert "2 of 13" in at.get("progress")[0].proto.text
