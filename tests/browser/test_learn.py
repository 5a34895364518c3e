"""The course in headless Chromium: a lesson is answered, run, shared and printed."""

import re

import pytest
from playwright.sync_api import expect

from tests.served import check_accessible, link, opened

TITLE = "h1"
PLACES = {
    "contents": {},
    "quiz": {"lesson": "quiz"},
    "print": {"lesson": "bottleneck", "view": "print"},
    "lesson": {"lesson": "overfitting", "answer_overfitting": "0.3 to 3 nats"},
}


@pytest.mark.parametrize("query", PLACES.values(), ids=list(PLACES))
@pytest.mark.slow
def test_accessible_and_inside_the_screen(server, new_page, query):
    page, address = new_page(width=375, colours="dark"), link(server, "learn", **query)
    check_accessible(opened(page, address, TITLE))
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    check_accessible(opened(page, address, TITLE))


def test_links_within_the_course_lead_on_and_stay_there(server, new_page):
    page = opened(new_page(width=1280), link(server, "learn", done="bottleneck"), TITLE)
    page.get_by_role("link", name="Overfitting").click()
    expect(page.get_by_role("heading", name="Overfitting")).to_be_visible()
    expect(page).to_have_url(re.compile("lesson=overfitting&done=bottleneck"))
    page.get_by_text("0.3 to 3 nats").click()
    expect(page.get_by_role("button", name="Run")).to_be_enabled()
    expect(page.get_by_role("heading", name="Overfitting")).to_be_visible()
    page.get_by_role("link", name="Print view").click()
    expect(page).to_have_url(re.compile("view=print"))
    page.get_by_role("link", name="Back to the lesson").click()
    expect(page.get_by_role("button", name=re.compile("run", re.IGNORECASE))).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Course").click()
    expect(page.get_by_text("1 of 18 lessons finished")).to_be_visible()
    page.get_by_role("link", name="Closing quiz").click()
    expect(page).to_have_url(re.compile("lesson=quiz"))
    page.get_by_text("long ones").click()
    expect(page.get_by_text("1 right of 1 answered")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("1 of 18 lessons finished")).to_be_visible()


@pytest.mark.slow
def test_an_answer_runs_is_judged_and_ticked(server, new_page):
    """overfitting needs no checkpoint, so it runs on a server of tiny ones."""
    page = new_page(width=1280)
    opened(page, link(server, "learn", lesson="overfitting"), TITLE)
    run = page.get_by_role("button", name=re.compile("Answer first"))
    expect(run).to_be_disabled()
    page.get_by_text("0.3 to 3 nats").click()
    page.get_by_role("button", name="Run").click()
    # The first curves are there before the end, and Stop beside them.
    expect(page.get_by_role("img", name=re.compile("What is known so far"))).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_test_id("stMetric")).to_be_visible(timeout=240_000)
    expect(page).to_have_url(re.compile("done=overfitting"))
    judged = re.compile("You answered|Your answer")
    expect(page.get_by_test_id("stAlert").filter(has_text=judged)).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("You answered"))).to_be_visible()
    check_accessible(page)
    page.set_viewport_size({"width": 375, "height": 800})
    check_accessible(page)
