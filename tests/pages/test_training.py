"""The training lab, by AppTest. Where a training is needed, its process is real and small."""

import time

import pytest

from seq2seq.training.task_recipe import OWN
from tests.visit import charts, live_pictures, messages, visit
from ui.runtime import trainings
from ui.training_lab import controls
from ui.training_lab.presets import PRESETS

pytestmark = pytest.mark.usefixtures("root")
SMALL = {"a_width": "8", "b_width": "8", "pairs": "200", "minutes": "0.05", "batch": "64"}
PAIRS = "".join(f"{number}\t{number}{number}\n" for number in range(100, 140))


@pytest.fixture
def jobs():
    yield trainings.jobs()
    trainings.jobs().close()


def offered(at):
    """Return the titles of the checkpoints that a task page offers."""
    assert not at.exception
    return at.selectbox(key="checkpoint").options


def query_of(at):
    """Return the values in the address, of each name the last one."""
    lists = ((name, value) for name, value in at.query_params.items())
    return {name: value[-1] if isinstance(value, list) else value for name, value in lists}


def until_ended(at, jobs):
    training = jobs.find(query_of(at)["run"])
    ends = time.monotonic() + 120
    while training.state != "ended":
        assert time.monotonic() < ends
        time.sleep(0.1)
        training.touch()
    at.run()
    return training


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_shows_what_it_will_train(name):
    at = visit("training", preset=name)
    assert not at.exception
    assert not messages(at)
    shown = " ".join(each.value for each in at.markdown)
    for letter, model in PRESETS[name].settings.models.items():
        assert f"[**{letter}**] " in shown
        assert f"{model.width}" in shown
    assert "parameters" in shown
    (picture,) = live_pictures(at)
    assert picture["picture"]["source"]["tokens"]


def test_a_preset_sets_the_controls_and_a_change_stands_in_the_address():
    at = visit("training")
    at.selectbox(key="lab_preset_choice").set_value("overfit").run()
    assert at.selectbox(key="lab_set_task").value == "numbers"
    assert at.select_slider(key="lab_set_pairs").value == 60
    at.number_input(key="lab_set_a_width").set_value(32).run()
    assert query_of(at) == {"preset": "overfit", "a_width": "32"}
    again = visit("training", preset="overfit", a_width="32")
    assert again.number_input(key="lab_set_a_width").value == 32
    assert again.select_slider(key="lab_set_pairs").value == 60


def test_a_second_model_is_added_and_taken_away():
    at = visit("training", compare="0")
    assert [box.key for box in at.selectbox if "cell" in box.key] == ["lab_set_a_cell"]
    at.toggle(key="lab_set_compare").set_value(True).run()
    assert at.number_input(key="lab_set_b_width").value == 64


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"a_cell": "transformer", "a_width": "30", "a_heads": "4"}, "do not divide"),
        ({"a_width": "33"}, "odd width"),
    ],
)
def test_a_model_that_cannot_be_is_said_and_not_trained(query, named, jobs):
    at = visit("training", compare="0", **query)
    assert not at.exception
    assert named in at.error[0].value
    at.button(key="lab_train").click().run()
    assert named in at.error[0].value
    assert not jobs.trainings


def test_memory_is_computed_and_refused(monkeypatch, jobs):
    monkeypatch.setattr(trainings, "MEGABYTES", 401)
    at = visit("training", **SMALL)
    at.button(key="lab_train").click().run()
    assert "MB of memory" in at.error[0].value
    assert not jobs.trainings


def test_nonsense_in_a_link_is_ignored():
    at = visit("training", task="hanoi", a_width="wide", minutes="nan", preset="x", run="y")
    assert not at.exception
    assert not messages(at)
    assert at.number_input(key="lab_set_a_width").value == 64


def test_a_link_trains_at_once_and_the_result_is_shown(jobs):
    at = visit("training", start="1", **SMALL)
    assert not at.exception
    assert "start" not in at.query_params
    training = until_ended(at, jobs)
    assert not at.exception
    assert not training.reason
    assert [metric.label for metric in at.metric] == ["A: exact match", "B: exact match"]
    assert {chart.key for chart in charts(at)} == {
        "learning_curves",
        "forming_attention",
        "gradient_parts",
        "gradient_distances",
    }
    assert at.select_slider(key="lab_moment").value == "latest"
    first = training.progress["A"].snapshots[0].step
    at.select_slider(key="lab_moment").set_value(first).run()
    assert any(f"after {first} steps" in each.value for each in at.markdown)
    at.button(key="lab_open_A_Translation").click().run()
    assert not at.exception
    name = f"trained-{training.name[:8]}-a"
    assert name in trainings.models().brought
    title = trainings.models().brought[name].card.title
    assert "GRU" in title
    assert title in offered(visit("translation", checkpoint=name))
    assert title not in offered(visit("translation"))  # of somebody else
    at.button(key="lab_reset").click().run()
    assert "run" not in at.query_params
    assert live_pictures(at)


@pytest.mark.slow
def test_own_pairs_are_checked_and_trained(jobs):
    at = visit("training", task=OWN, compare="0", **SMALL)
    assert at.button(key="lab_train").disabled
    at.text_area(key="lab_text").set_value("no tab\n").run()
    assert "Line 1 has no tab" in at.error[0].value
    at.text_area(key="lab_text").set_value(PAIRS).run()
    assert "40 pairs" in " ".join(each.value for each in at.caption)
    assert live_pictures(at)
    shown = " ".join(each.value for each in at.markdown)
    at.button(key="lab_train").click().run()
    training = until_ended(at, jobs)
    assert not at.exception
    assert not training.reason
    assert training.progress["A"].snapshots
    assert f"{training.progress['A'].parameters:,} parameters" in shown


def test_a_hosted_server_takes_fewer_pairs_and_minutes(monkeypatch, jobs):
    monkeypatch.setenv("SEQ2SEQ_HOSTED", "1")
    assert trainings.most_pairs() == trainings.HOSTED_PAIRS
    at = visit("training", minutes="15")
    assert at.number_input(key="lab_set_minutes").value == controls.HOSTED_MINUTES
