"""What if, in headless Chromium, with models of both architectures."""

import re

import pytest
from playwright.sync_api import expect

from tests.served import link, opened, settled

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps in the garden."
RUN = "button:has-text('Run (JSON)')"


def open_tab(page, server, **query):
    query = {"text": SENTENCE, "max_length": 8, "tab": "What if", "step": 2, **query}
    return opened(page, link(server, **query), RUN)


def lines(page):
    """Read what was written before and after, once both are there."""
    shown = page.locator(".st-key-whatif .lines dd")
    expect(shown).to_have_count(2)
    settled(page)
    return shown.all_inner_texts()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm-attention", "transformer"])
def test_changes_stack_are_linked_and_taken_back(server, new_page, name):
    page = open_tab(new_page(), server, checkpoint=name)
    expect(page.get_by_text("Nothing is changed: ")).to_be_visible()
    page.get_by_role("button", name="3 dog").click()
    page.wait_for_url("**muted=3+dog*")
    muted = lines(page)
    page.get_by_role("combobox", name="Override attention").click()
    page.get_by_role("option", name="Uniform").click()
    page.get_by_role("button", name="Apply to this step").click()
    page.wait_for_url("**edit=1.a.a.*")
    expect(page.get_by_role("button", name="Undo")).to_have_count(1)
    both = lines(page)
    again = new_page()
    again.goto(page.url)
    assert lines(again) == both
    expect(again.get_by_text(re.compile("^Step 2: .* had the probability"))).to_be_visible()
    expect(again.get_by_text("Step 2 attends most to")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert lines(page) == muted
    page.get_by_role("button", name="3 dog").click()
    expect(page.get_by_text("Nothing is changed: ")).to_be_visible()


@pytest.mark.slow
def test_a_word_is_made_to_be_said_and_one_of_the_source_changed_by_a_chip(server, new_page):
    page = open_tab(new_page(), server, preset="Optimize for a word", say="chat")
    found = page.get_by_text(re.compile("The best row found raises .* at step 2"))
    expect(found).to_be_visible()
    before, after = map(float, re.findall(r"([\d.]+)%", found.inner_text()))
    assert after > before
    page.get_by_role("button", name="Apply to this step").click()
    page.wait_for_url("**edit=1.*")
    lines(page)
    page.get_by_role("radiogroup", name="Change only the").get_by_role("radio").nth(1).click()
    page.wait_for_url("**instead=*")
    lines(page)
    # Fresh weights may write the same tokens; how probable they are tells the change.
    told = page.get_by_text(re.compile(r"log P .* before, .* after")).inner_text()
    before, after = re.findall(r"-\d+\.\d+", told)
    assert before != after
    expect(page.locator(".st-key-chart_attention_after .heatmaplayer")).to_have_count(1)
