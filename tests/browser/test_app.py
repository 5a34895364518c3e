"""What every task page has: a text, its run, a step that all instruments share, files, a link."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from seq2seq.trace import Trace
from tests.served import FIGURE, LIVE, hit, link, opened, query_of, settled, still

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps in the garden."
SHORT = {"text": SENTENCE, "max_length": "9"}


def labels(page, axis):
    return page.locator(FIGURE).first.locator(f".{axis}tick text").all_text_contents()


def tokens(page):
    return page.get_by_role("group", name="Output tokens").get_by_role("button")


@pytest.mark.slow
def test_the_start_page_shows_a_run_and_leads_on(server, new_page):
    page = opened(new_page(), server, LIVE)
    typed = page.get_by_role("textbox").input_value()
    page.get_by_role("main").get_by_role("link", name="Translation").click()
    expect(page.get_by_role("textbox", name="English sentence")).to_have_value(typed)
    expect(tokens(page).first).to_be_visible()


def test_enter_shows_the_run_and_updates_the_address(server, new_page):
    page = opened(new_page(), link(server))
    expect(page.get_by_role("textbox", name="English sentence")).to_have_value("The cat sleeps.")
    page.get_by_role("textbox", name="English sentence").fill("Where is the station?")
    page.get_by_role("textbox", name="English sentence").press("Enter")
    page.wait_for_url("**text=Where+is+the+station*")
    expect(page.locator(".figure .xtick text").first).not_to_have_text("The")
    assert "station" in "".join(labels(page, "x")).replace("·", "")
    page.get_by_text("The cat sleeps.").click()
    expect(page.get_by_role("textbox", name="English sentence")).to_have_value("The cat sleeps.")
    expect(page.locator(".figure .xtick text").first).to_have_text("The")


@pytest.mark.slow
def test_token_row_bar_and_slider_select_the_same_step(server, new_page):
    page = opened(new_page(), link(server, **SHORT))
    slider = page.get_by_role("slider", name="Decoding step")

    def is_selected(step, timeout=20_000):
        expect(slider).to_have_value(str(step), timeout=timeout)
        expect(tokens(page).nth(step - 1)).to_have_attribute("aria-pressed", "true")
        settled(page)
        assert query_of(page).get("step", "1") == str(step)

    tokens(page).nth(2).click()
    is_selected(3)
    slider.press("ArrowRight")
    is_selected(4)

    def second():
        box = still(page.locator(FIGURE).first.locator(".nsewdrag").first)
        return box["x"] + 12, box["y"] + box["height"] * 1.5 / len(labels(page, "y"))

    def first():
        box = still(page.get_by_label("Probability of each").locator(".point path").first)
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    hit(page, second, re.compile(r"y2 .+ ← x1 .+ \d\.\d\d"), lambda limit: is_selected(2, limit))
    page.get_by_role("tab", name="Probabilities").click()
    hit(page, first, "y1 ", lambda limit: is_selected(1, limit))


def test_markup_is_shown_as_text_and_never_run(server, new_page):
    evil = "<img src=x onerror='window.pwned=1'> <script>window.pwned=1</script> **bold**"
    page = opened(new_page(), link(server, **SHORT | {"text": evil}))
    expect(page.get_by_role("textbox", name="English sentence")).to_have_value(evil)
    assert page.evaluate("window.pwned") is None
    assert any("<" in label for label in labels(page, "x"))


def test_a_link_is_restored_and_copied_and_all_is_downloaded(server, new_page):
    query = SHORT | {"beam_width": "2", "step": "3"}
    page = opened(new_page(), link(server, **query))
    expect(page.get_by_role("textbox", name="English sentence")).to_have_value(SENTENCE)
    expect(page.get_by_role("link", name="Start")).to_be_visible()
    expect(page.get_by_role("slider", name="Decoding step")).to_have_value("3")
    expect(tokens(page).nth(2)).to_have_attribute("aria-pressed", "true")
    assert query_of(page) == query | {"tab": "Attention"}
    assert labels(page, "x")[-1] == "</s>"
    with page.expect_download() as download:
        page.get_by_role("button", name="Run (JSON)").click()
    trace = Trace.from_json(Path(download.value.path()).read_bytes())
    assert trace.source.text == SENTENCE
    saved = {}
    for kind in ("CSV", "HTML", "PNG", "SVG"):
        if not page.get_by_role("button", name=kind, exact=True).is_visible():
            page.get_by_role("button", name="Save", exact=True).first.click()
        with page.expect_download() as download:
            page.get_by_role("button", name=kind, exact=True).click()
        assert download.value.suggested_filename == f"attention.{kind.lower()}"
        saved[kind] = Path(download.value.path()).read_bytes()
    assert len(saved["CSV"].splitlines()) == 1 + len(trace.target) * len(trace.source)
    assert b"plotly" in saved["HTML"]
    assert saved["PNG"].startswith(b"\x89PNG")
    assert b"<svg" in saved["SVG"][:200]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
