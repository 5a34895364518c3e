"""The training lab in headless Chromium: a real training, left, reloaded, paused, killed."""

import os
import re
import signal
import subprocess

import pytest
from playwright.sync_api import expect

from tests.served import FIGURE, link, query_of

pytestmark = pytest.mark.browser

LONG = {"compare": "0", "a_width": "8", "pairs": "300", "batch": "64", "minutes": "5"}
WAIT = 240_000  # milliseconds until a process has started on a busy machine


def started(page, server, **query):
    """Open a link that trains at once, until there are figures."""
    page.goto(link(server, "training", start="1", **query))
    expect(page.locator(FIGURE).first).to_be_visible(timeout=WAIT)
    return page


def stop(page):
    """End a training, so that the next test has the place."""
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Train again")).to_be_visible(timeout=WAIT)


def steps_of(page):
    text = page.get_by_test_id("stProgress").inner_text()
    return int(re.search(r"Step ([\d,]+)", text)[1].replace(",", ""))


def workers():
    """Return the numbers of the processes that train now."""
    found = subprocess.run(
        ["pgrep", "-f", "seq2seq.training.worker"], capture_output=True, text=True, check=False
    )
    return [int(number) for number in found.stdout.split()]


def test_a_training_survives_a_reload_is_paused_stepped_and_stopped(server, new_page):
    page = started(new_page(width=1400), server, **LONG)
    run = query_of(page)["run"]
    before = steps_of(page)
    page.reload()
    expect(page.locator(FIGURE).first).to_be_visible(timeout=WAIT)
    assert query_of(page)["run"] == run
    assert steps_of(page) >= before
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    page.wait_for_timeout(1_500)
    paused_at = steps_of(page)
    page.wait_for_timeout(1_500)
    assert steps_of(page) == paused_at
    page.get_by_role("button", name="Step", exact=True).click()
    page.wait_for_function(
        "(before) => !document.querySelector('[data-testid=stProgress]').innerText"
        ".includes(`Step ${before} `)",
        arg=f"{paused_at:,}",
    )
    assert steps_of(page) == paused_at + 1
    stop(page)
    expect(page.get_by_role("button", name="Open A in")).to_be_visible()


@pytest.mark.slow
def test_a_second_visitor_waits_and_is_told(server, new_page):
    first = started(new_page(), server, **LONG)
    second = new_page()
    second.goto(link(server, "training", start="1", **LONG))
    if (os.cpu_count() or 1) <= 2:
        expect(second.get_by_text("Place 1 in the queue")).to_be_visible(timeout=WAIT)
    stop(first)
    expect(second.get_by_text("A: exact match")).to_be_visible(timeout=WAIT)
    stop(second)
    expect(second.get_by_role("button", name="Open A in")).to_be_visible(timeout=WAIT)


@pytest.mark.slow
def test_a_killed_worker_is_reported(server, new_page):
    already = set(workers())
    page = started(new_page(), server, **LONG)
    (worker,) = set(workers()) - already
    os.kill(worker, signal.SIGKILL)
    expect(page.get_by_text("was ended from outside")).to_be_visible(timeout=WAIT)
    expect(page.get_by_role("button", name="Train again")).to_be_enabled()
