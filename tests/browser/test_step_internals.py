"""The instruments inside a step, teacher forcing and tokens, in headless Chromium."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import Error, expect

from tests.served import check_accessible, served_app, settled

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps in the garden."
REFERENCE = "Le vieux chat dort au jardin."
CHART = ".figure.js-plotly-plot"


@pytest.fixture(scope="module")
def server():
    with served_app() as address:
        yield address


def opened(page, server, tab, **query):
    page.goto(f"{server}/translation?{urlencode({'text': SENTENCE, 'tab': tab, **query})}")
    page.locator(CHART).first.wait_for()
    settled(page)
    return page


def query_of(page):
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def chart(page, key):
    return page.locator(f".st-key-chart_{key} {CHART}")


def click_in(page, key, across, down, hovered, reached):
    """Click as a person does: where the hover is, and once more if the chart was redrawn."""
    for _ in range(6):
        with suppress(AssertionError, Error):
            area = chart(page, key).locator(".nsewdrag").first
            area.scroll_into_view_if_needed()
            box = area.bounding_box()
            place = box["x"] + across * box["width"], box["y"] + down * box["height"]
            page.mouse.move(place[0] - 4, place[1] - 3)
            page.mouse.move(*place)
            expect(page.locator(".hovertext").first).to_contain_text(hovered, timeout=2_000)
            page.mouse.click(*place)
            reached()
            return
    reached()


def test_a_click_on_the_strip_chooses_a_unit(server, new_page):
    page = opened(new_page(), server, "Inside a step", step=3)
    unit = page.get_by_role("spinbutton", name="Unit")
    expect(unit).to_have_value("")
    click_in(
        page, "gates", 0.5, 0.4, "forget", lambda: expect(unit).not_to_have_value("", timeout=3_000)
    )
    number = unit.input_value()
    expect(page.get_by_text(f"Unit {number} goes from")).to_be_visible()
    page.wait_for_url(f"**unit={number}*")
    settled(page)
    again = opened(new_page(), server, **query_of(page) | {"tab": "Inside a step"})
    expect(again.get_by_role("spinbutton", name="Unit")).to_have_value(number)


def test_a_click_on_a_score_chooses_the_source_token(server, new_page):
    page = opened(new_page(), server, "Inside a step", step=3)
    row = page.get_by_text("For source token 3")
    expect(row).to_be_visible()
    source = page.get_by_role("group", name="Source tokens").get_by_role("button")
    chosen = source.nth(3)
    bar = chart(page, "source_scores").locator(".subplot.x2y .point path, .x2y .point path").nth(3)
    for _ in range(6):
        with suppress(AssertionError, Error):
            bar.hover(force=True, timeout=3_000)
            bar.click(force=True, timeout=3_000)
            expect(chosen).to_have_attribute("aria-pressed", "true", timeout=3_000)
            break
    expect(page.get_by_text("For source token 4")).to_be_visible()
    expect(chosen).to_have_attribute("aria-pressed", "true")


def test_the_next_step_reads_what_was_written(server, new_page):
    page = opened(new_page(), server, "Inside a step", step=2)
    page.get_by_role("button", name="Next step").click()
    expect(page.get_by_role("slider", name="Decoding step")).to_have_value("3")
    expect(page.get_by_text("so far; its last token")).to_contain_text("vieux")


def test_a_reference_is_typed_clicked_and_linked(server, new_page):
    page = new_page()
    page.goto(f"{server}/translation?{urlencode({'text': SENTENCE, 'tab': 'Teacher forcing'})}")
    box = page.get_by_role("textbox", name="Reference")
    box.fill(REFERENCE)
    box.press("Enter")
    rows = page.get_by_role("group", name="Reference, read token by token")
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
    again = opened(new_page(), server, **query_of(page) | {"tab": "Teacher forcing"})
    expect(again.get_by_role("slider", name="Step of the reference")).to_have_value("4")
    expect(again.get_by_role("textbox", name="Reference")).to_have_value(REFERENCE)


def test_a_close_up_is_saved(server, new_page):
    page = opened(new_page(), server, "Inside a step", step=3)
    page.locator(".st-key-save_logits button").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "token,id,logit,probability"
    assert len(lines) == 11


@pytest.mark.parametrize(("width", "colours"), [(375, "dark"), (1280, "light")])
@pytest.mark.parametrize("tab", ["Inside a step", "Teacher forcing", "Tokens"])
def test_accessible_and_inside_the_screen(server, new_page, tab, width, colours):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    opened(page, server, tab, reference=REFERENCE, word=2)
    check_accessible(page, width)


def test_formulas_stay_inside_a_narrow_screen(server, new_page):
    page = new_page(viewport={"width": 375, "height": 900})
    opened(page, server, "Inside a step", checkpoint="gru-vanilla-en-fr")
    formulas = page.locator(".katex-html")
    expect(formulas.last).to_be_visible()
    assert formulas.count() >= 2
    beyond = """formulas => formulas.map(formula => formula.getBoundingClientRect().right
      - formula.closest("[data-testid=stMarkdownContainer]").getBoundingClientRect().right)"""
    assert max(formulas.evaluate_all(beyond)) <= 0
