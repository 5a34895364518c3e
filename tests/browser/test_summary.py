"""The page of summaries in headless Chromium, with tiny models of fresh weights."""

import re

import pytest
from playwright.sync_api import expect

from tests.conftest import PARAGRAPHS
from tests.served import link, opened, query_of, settled

pytestmark = pytest.mark.browser

TEXT = PARAGRAPHS.replace("\\n", "\n")
# The beginning of the output is given, so that there is something that was copied.
BEGUN = {"text": TEXT, "prefix": "the old dog reads", "max_length": "24"}
SHADES = "words => words.map(word => word.style.background)"


def open_summary(page, server, kind, **query):
    address = link(server, "summarization", checkpoint=f"summary-{kind}", **query)
    return opened(page, address, "[aria-label='Words of the text'] [role=button]")


def words(page, of):
    return page.get_by_role("group", name=f"Words of the {of}").get_by_role("button")


@pytest.mark.slow
def test_a_word_shows_what_it_was_drawn_from_and_a_click_keeps_it(server, new_page):
    page = open_summary(new_page(), server, "transformer", **BEGUN)
    assert words(page, "text").all_text_contents() == TEXT.split()
    resting = words(page, "text").evaluate_all(SHADES)
    second = words(page, "summary").nth(1)
    second.hover()
    hovered = words(page, "text").evaluate_all(SHADES)
    assert hovered != resting
    page.get_by_role("heading", name="Summarization").hover()
    assert words(page, "text").evaluate_all(SHADES) == resting
    second.click()
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("radio", name="a word")).to_be_checked()
    page.get_by_role("heading", name="Summarization").hover()
    settled(page)
    assert words(page, "text").evaluate_all(SHADES) != resting
    assert query_of(page)["shade"] == "a word"
    second.click()
    expect(page.get_by_role("radio", name="the whole summary")).to_be_checked()


@pytest.mark.slow
def test_words_are_chosen_by_keyboard(server, new_page):
    page = open_summary(new_page(), server, "lstm-attention", **BEGUN)
    first = words(page, "text").first
    first.focus()
    first.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    third = words(page, "text").nth(2)
    expect(third).to_have_attribute("aria-pressed", "true")
    settled(page)
    expect(third).to_be_focused()
    assert int(query_of(page)["word"]) >= 3
    page.keyboard.press("Enter")
    expect(third).to_have_attribute("aria-pressed", "false")


@pytest.mark.slow
def test_what_was_copied_is_underlined_and_counted(server, new_page):
    page = open_summary(new_page(), server, "gru-plain", **BEGUN)
    lines = words(page, "text").evaluate_all(
        "words => words.map(word => getComputedStyle(word).textDecorationLine)"
    )
    assert lines[:3] == ["underline"] * 3
    assert page.get_by_role("listitem").filter(has_text="copied phrase").is_visible()
    expect(page.get_by_text("This model has no attention: its decoder gets")).to_be_visible()
    copied = page.get_by_test_id("stMetric").filter(has_text="Copied words")
    expect(copied).to_contain_text(re.compile(r"[1-9]\d*%"))


@pytest.mark.slow
def test_markup_is_shown_as_text_and_a_long_text_stays_fast(server, new_page):
    evil = "<img src=x onerror='window.pwned=1'> <b>bold</b> **bold** [a](b) " + TEXT
    page = open_summary(new_page(), server, "lstm-attention", text=evil, max_length="12")
    assert words(page, "text").first.text_content() == "<img"
    assert page.evaluate("window.pwned") is None
    box = page.get_by_role("textbox", name="English text")
    box.fill((TEXT + "\n") * 420)  # more than 10,000 words
    box.press("Control+Enter")
    expect(page.get_by_text("not read by the model")).to_be_visible()
    settled(page)
    assert page.evaluate("document.querySelectorAll('*').length") < 5_000
    expect(page.get_by_test_id("stMetric").first).to_contain_text(" of 10,500")
    assert "text" not in query_of(page)
    words(page, "summary").last.click()
    expect(words(page, "summary").last).to_have_attribute("aria-pressed", "true", timeout=3_000)
