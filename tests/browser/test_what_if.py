"""What if, in headless Chromium, with the embedded checkpoints of both architectures."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.served import check_accessible, served_app, settled

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps in the garden."
NAMES = ["lstm-attention-en-fr", "transformer-en-fr"]


@pytest.fixture(scope="module")
def server():
    with served_app() as address:
        yield address


def opened(page, server, **query):
    query = {"text": SENTENCE, "tab": "What if", "step": 2, **query}
    page.goto(f"{server}/translation?{urlencode(query)}")
    page.get_by_role("button", name="Run (JSON)").wait_for()
    settled(page)
    return page


def lines(page):
    """Read what was written before and after, once both are there."""
    shown = page.locator(".st-key-whatif .lines dd")
    expect(shown).to_have_count(2)
    settled(page)
    return shown.all_inner_texts()


@pytest.mark.parametrize("name", NAMES)
def test_changes_stack_are_linked_and_taken_back(server, new_page, name):
    page = opened(new_page(), server, checkpoint=name)
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    page.get_by_role("button", name="3 dog").click()
    page.wait_for_url("**muted=3+dog*")
    muted = lines(page)
    page.get_by_role("button", name="Change this row").click()
    page.wait_for_url("**edit=1.*")
    expect(page.get_by_role("button", name="Undo")).to_have_count(1)
    both = lines(page)
    again = new_page()
    again.goto(page.url)
    assert lines(again) == both
    expect(again.get_by_text(re.compile("^Step 2: .* had the probability"))).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert lines(page) == muted
    page.get_by_role("button", name="3 dog").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()


@pytest.mark.parametrize("name", NAMES)
def test_a_word_is_made_to_be_said(server, new_page, name):
    page = opened(new_page(), server, checkpoint=name, preset="Make it say", say="jardin")
    found = page.get_by_text(re.compile("The best row found raises .* at step 2"))
    expect(found).to_be_visible(timeout=60_000)
    before, after = map(float, re.findall(r"([\d.]+)%", found.inner_text()))
    assert after > before
    page.get_by_role("button", name="Change this row").click()
    page.wait_for_url("**edit=1.*")
    lines(page)


def test_one_word_of_the_source_is_changed_by_a_chip(server, new_page):
    page = opened(new_page(), server)
    page.get_by_role("radiogroup", name="Change only the").get_by_role("radio").first.click()
    page.wait_for_url("**instead=*")
    before, after = lines(page)
    assert before != after
    expect(page.locator(".st-key-chart_attention_after .heatmaplayer")).to_have_count(1)


@pytest.mark.parametrize(
    ("name", "width", "colours"), [(NAMES[0], 375, "dark"), (NAMES[1], 1280, "light")]
)
def test_accessible_and_inside_the_screen(server, new_page, name, width, colours):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    opened(page, server, checkpoint=name, muted="3 dog", preset="By hand")
    lines(page)
    check_accessible(page, width)
