"""The instruments inside a step, teacher forcing and tokens, in headless Chromium."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.served import FIGURE, hit, link, opened, settled, still

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps in the garden."
REFERENCE = "Le vieux chat dort au jardin."


def open_tab(page, server, tab, **query):
    query = {"checkpoint": "lstm-attention", "max_length": 8, **query}
    return opened(page, link(server, text=SENTENCE, tab=tab, **query), FIGURE)


def chart(page, key):
    return page.locator(f".st-key-chart_{key} {FIGURE}")


@pytest.mark.slow
def test_a_click_on_the_strip_chooses_a_unit(server, new_page):
    page = open_tab(new_page(), server, "Step internals", step=3)
    unit = page.get_by_role("spinbutton", name="Unit")
    expect(unit).to_have_value("")

    def place():
        box = still(chart(page, "gates").locator(".nsewdrag").first)
        return box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"]

    hit(page, place, "forget", lambda limit: expect(unit).not_to_have_value("", timeout=limit))
    number = unit.input_value()
    expect(page.get_by_text(f"Unit {number} goes from")).to_be_visible()
    page.wait_for_url(f"**unit={number}*")
    settled(page)
    again = opened(new_page(), page.url, FIGURE)
    expect(again.get_by_role("spinbutton", name="Unit")).to_have_value(number)


@pytest.mark.slow
def test_the_next_step_reads_what_was_written_a_score_chooses_its_token(server, new_page):
    page = open_tab(new_page(), server, "Step internals", step=2)
    written = page.get_by_role("group", name="Output tokens").get_by_role("button").nth(1)
    token = written.locator(".token").or_(written).first.inner_text().split("\n")[0]
    page.get_by_role("button", name="Next step").click()
    expect(page.get_by_role("slider", name="Decoding step")).to_have_value("3")
    expect(page.get_by_text("so far; its last token")).to_contain_text(token)
    source = page.get_by_role("group", name="Source tokens").get_by_role("button")
    bars = chart(page, "source_scores").locator(".subplot.x2y .point path, .x2y .point path")
    number = 2 if source.nth(0).get_attribute("aria-pressed") == "true" else 1

    def place():
        box = still(bars.nth(number - 1))
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def chosen(limit):
        expect(source.nth(number - 1)).to_have_attribute("aria-pressed", "true", timeout=limit)

    hit(page, place, "", chosen)
    expect(page.get_by_text(f"For source token {number}")).to_be_visible()
    page.locator(".st-key-save_logits button").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "token,id,logit,probability"
    assert len(lines) == 11


@pytest.mark.slow
def test_a_reference_is_typed_clicked_and_linked(server, new_page):
    page = new_page()
    query = {"checkpoint": "lstm-attention", "max_length": 8, "tab": "Teacher forcing"}
    page.goto(link(server, text=SENTENCE, **query))
    box = page.get_by_role("textbox", name="Reference")
    box.fill(REFERENCE)
    box.press("Enter")
    rows = page.get_by_role("group", name="Teacher forcing: the reference")
    expect(rows.get_by_role("button").first).to_be_visible()
    settled(page)
    rows.get_by_role("button").nth(3).click()
    slider = page.get_by_role("slider", name="Step of the reference")
    expect(slider).to_have_value("4")
    expect(rows.get_by_role("button").nth(3)).to_have_attribute("aria-pressed", "true")
    own = page.get_by_role("group", name="Its own output").get_by_role("button")
    own.nth(1).click()
    expect(page.get_by_role("slider", name="Decoding step")).to_have_value("2")
    expect(slider).to_have_value("4")
    page.wait_for_url("**reference=Le+vieux*")
    settled(page)
    again = opened(new_page(), page.url, FIGURE)
    expect(again.get_by_role("slider", name="Step of the reference")).to_have_value("4")
    expect(again.get_by_role("textbox", name="Reference")).to_have_value(REFERENCE)


@pytest.mark.slow
def test_formulas_stay_inside_a_narrow_screen(server, new_page):
    page = open_tab(new_page(width=375), server, "Step internals", checkpoint="gru-plain")
    formulas = page.locator(".katex-html")
    expect(formulas.last).to_be_visible()
    assert formulas.count() >= 2
    beyond = """formulas => formulas.map(formula => formula.getBoundingClientRect().right
      - formula.closest("[data-testid=stMarkdownContainer]").getBoundingClientRect().right)"""
    assert max(formulas.evaluate_all(beyond)) <= 0
