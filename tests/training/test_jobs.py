import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from seq2seq.checkpoint import load
from seq2seq.errors import UserError
from seq2seq.training import jobs as jobs_module
from seq2seq.training.jobs import ENDED, PAUSED, RUNNING, WAITING, Jobs, job_of
from seq2seq.training.progress import thinned
from seq2seq.training.task_recipe import OWN, task_recipe

SMALL = {"pairs": 200, "held_out": 10}


def recipe(attention="general", **training):
    return task_recipe(
        "copy", {"width": 8, "embedding": 8, "attention": attention}, training, SMALL
    )


def until(condition, seconds=90):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.fixture(scope="module")
def jobs():
    jobs = Jobs(at_once=1)
    yield jobs
    jobs.close()


@pytest.mark.slow
def test_two_models_are_trained_side_by_side_and_another_waits(jobs):
    first = jobs.submit(job_of([recipe(), recipe("none")], 1.5, 4_000))
    second = jobs.submit(job_of([recipe()], 600, 4_000))
    assert second.state == WAITING
    assert jobs.ahead_of(second) == [first]
    assert jobs.wait_of(second) > 0
    until(lambda: first.state == ENDED)
    assert first.reason == ""
    a, b = first.progress["A"], first.progress["B"]
    assert a.finished
    assert b.finished
    # They take turns; what each said last may be some steps old.
    assert abs(a.trained[-1].step - b.trained[-1].step) <= 10
    assert load(a.folder).model.parameter_count() == a.parameters
    assert a.snapshots[-1].written[0].weights.shape[1] > 3
    assert b.snapshots[-1].written[0].weights is None
    assert (a.scores[-1].aligned is None, b.scores[-1].aligned is None) == (False, True)
    assert "task" in (first.folder / "A" / "best" / "recipe.toml").read_text()

    # The one that waited is paused, taken a step further, changed, and killed from outside.
    until(lambda: second.state == RUNNING)
    second.tell("pause")
    until(lambda: second.state == PAUSED)
    progress = second.progress["A"]
    paused_at = progress.trained[-1].step
    steps = []
    for _ in range(2):
        count = len(progress.scores)
        second.tell("step")
        until(lambda before=count: len(progress.scores) > before)
        steps.append(progress.trained[-1].step)
    assert steps == [paused_at + 1, paused_at + 2]
    second.tell("change", learning_rate=0.5)
    second.tell("go on")
    until(lambda: second.state == RUNNING and progress.learning_rate > 0.4)
    os.kill(second.process.pid, signal.SIGKILL)
    until(lambda: second.state == ENDED)
    assert "signal 9" in second.reason


def test_a_loss_that_is_no_number_ends_one_model_with_the_reason(jobs):
    model = {"architecture": "transformer", "width": 32, "heads": 4, "feedforward": 64}
    wild = task_recipe("copy", model, {"learning_rate": 1e6, "clip": 100.0}, SMALL)
    training = jobs.submit(job_of([wild, recipe()], 4, 4_000))
    until(lambda: training.state == ENDED)
    assert not training.reason
    wild, tame = training.progress.values()
    assert "no longer a number: lower the learning_rate" in wild.reason
    assert all(torch.isfinite(each).all() for each in load(wild.folder).model.parameters())
    assert tame.finished
    assert not tame.reason


@pytest.mark.slow
def test_a_training_that_is_stopped_keeps_its_weights(jobs):
    training = jobs.submit(job_of([recipe()], 600, 4_000))
    until(lambda: training.state == RUNNING)
    training.tell("stop")
    until(lambda: training.state == ENDED)
    assert training.progress["A"].folder


def test_a_training_whose_visitor_left_is_ended(jobs):
    training = jobs.submit(job_of([recipe()], 600, 4_000))
    training.seen -= jobs_module.PATIENCE + 1
    jobs.look()
    until(lambda: training.state == ENDED)
    assert "Nobody looked" in training.reason


def test_what_has_ended_is_deleted_once_its_visitor_has_left():
    gone, present = [], True
    hosted = Jobs(at_once=1, keep=5.0, on_remove=gone.append)
    hosted.look = lambda: None
    try:
        training = hosted.submit(job_of([recipe()], 1, 0), {"train.tsv": "a\tb\n"})
        training.is_watched = lambda: present
        training.tell("stop")  # while it waits
        assert training.state == ENDED
        assert not list(training.folder.iterdir())
        for present in (True, False):
            training.seen -= 6
            Jobs.look(hosted)
            assert training.folder.exists() == present
        assert gone == [training]
        assert hosted.find(training.name) is None
    finally:
        hosted.close()


def test_a_training_goes_on_while_its_page_is_open(jobs):
    training = jobs.submit(job_of([recipe()], 600, 4_000))
    training.is_watched = lambda: True
    training.seen -= jobs_module.PATIENCE + 1
    jobs.look()
    assert training.state != ENDED
    training.kill()


def test_own_pairs_are_read_and_deleted(jobs):
    files = {"train.tsv": "a b\tb a\nc d\td c\n", "valid.tsv": "a d\td a\n"}
    training = jobs.submit(job_of([task_recipe(OWN, {"width": 8})], 2, 4_000), files)
    assert sorted(each.name for each in training.folder.iterdir()) == sorted(files)
    until(lambda: training.state == RUNNING)
    assert not set(files) & {each.name for each in training.folder.iterdir()}
    assert os.getpriority(os.PRIO_PROCESS, training.process.pid) >= jobs_module.NICE
    until(lambda: training.state == ENDED)
    assert training.reason == ""
    assert training.progress["A"].snapshots[-1].written[0].target
    training.remove()
    assert not training.folder.exists()


def test_folders_of_a_server_that_is_gone_are_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs_module.tempfile, "gettempdir", lambda: str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = [f"{jobs_module.PREFIX}{number}-x" for number in (gone.pid, os.getpid(), "none")]
    for name in names:
        (tmp_path / name / "A").mkdir(parents=True)
    jobs_module.remove_abandoned()
    assert {each.name for each in tmp_path.iterdir()} == set(names[1:])


def test_a_queue_has_an_end():
    busy = Jobs(at_once=1)
    busy.look = lambda: None
    try:
        for _ in range(jobs_module.MOST_WAITING):
            busy.submit(job_of([recipe()], 1, 0))
        with pytest.raises(UserError, match="Too many trainings"):
            busy.submit(job_of([recipe()], 1, 0))
    finally:
        busy.close()


def test_thinning_keeps_the_last():
    kept = []
    for number in range(1_000):
        kept = thinned([*kept, number], 50)
        assert kept[-1] == number
    assert 25 <= len(kept) <= 50
    assert kept[0] == 0
