"""Counts and invariants under load; how long it takes is measured by `python -m tests.load`."""

import asyncio
import random
import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.load.beside_training import beside
from tests.load.visitors import Plan, crowd, sentence
from tests.served import served_app


@pytest.fixture(scope="module")
def server():
    with served_app() as address:
        yield address


def load(address, plan):
    """Send the visitors of `plan` from a thread: browser tests leave an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        visits = crowd([address], plan)
        return thread.submit(asyncio.run, visits).result()


def metrics(address):
    """Return the numbers that the server publishes about its queues."""
    text = urllib.request.urlopen(f"{address}/_stcore/metrics", timeout=60).read().decode()
    return {
        (name, queue): float(value)
        for name, queue, value in re.findall(r'^(seq2seq_\w+){queue="(\w+)"} (\S+)$', text, re.M)
    }


def test_visitors_type_different_sentences():
    chance = random.Random(0)
    typed = {sentence(chance) for _ in range(200)}
    assert len(typed) > 190


PLAN = Plan(5, 0, period=0.5, arrive=1, sentences=2)


def test_nobody_is_lost_and_every_run_brings_its_picture(server):
    seen = load(server, PLAN)
    assert seen.counts["lost"] == seen.counts["incomplete"] == seen.counts["refused"] == 0
    assert len(seen.first) == 5
    assert len(seen.seconds) == 10
    assert all(seconds > 0 for seconds in seen.seconds)


@pytest.mark.slow
def test_visitors_who_leave_hold_no_place(server):
    plan = Plan(8, 0, 0.2, 0.5, leaves=0.7, seed=1, sentences=3)
    seen = load(server, plan)
    assert seen.counts["left"] >= 4
    assert seen.counts["lost"] == 0
    after = load(server, Plan(1, 0, 0, 0, sentences=1))
    assert after.counts["lost"] == after.counts["incomplete"] == after.counts["waited"] == 0
    found = metrics(server)
    assert found["seq2seq_places_held", "short"] == found["seq2seq_waiting", "short"] == 0
    assert found["seq2seq_runs_total", "short"] > 0


@pytest.mark.slow
def test_a_visitor_is_answered_while_a_model_is_trained(server):
    plan = Plan(1, 3, period=0, arrive=0, sentences=2)
    load(server, plan)
    with ThreadPoolExecutor(1) as thread:
        visits = beside(server.replace("http", "ws"), plan)
        seen = thread.submit(asyncio.run, visits).result()
    assert len(seen.seconds) == 2
    assert not seen.counts["lost"]
