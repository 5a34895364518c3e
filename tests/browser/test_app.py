"""The real app in headless Chromium, with the checkpoint that is embedded in the repository."""

import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import Error, expect

from seq2seq.trace import Trace
from tests.served import (
    HEATMAP,
    check_accessible,
    opened,
    served_app,
    settled,
)

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps in the garden."


@pytest.fixture(scope="module")
def server():
    with served_app() as address:
        yield address


def link(server, page="translation", **query):
    return f"{server}/{page}?{urlencode(query)}"


def labels(page, axis):
    chart = page.locator(".figure.js-plotly-plot").first
    return chart.locator(f".{axis}tick text").all_text_contents()


def query_of(page):
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def matrix(page):
    """Return where the cells of the first picture are, once they are on the screen."""
    chart = page.locator(".figure.js-plotly-plot").first
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    return chart.locator(".nsewdrag").first.bounding_box()


def tokens(page):
    return page.get_by_role("group", name="Output tokens").get_by_role("button")


# This one comes first: it needs a server that nobody has visited.
def test_a_link_is_restored_on_a_fresh_server(server, new_page):
    page = opened(new_page(), link(server, text=SENTENCE, beam_width=2, step=3))
    expect(page.get_by_role("textbox", name="English sentence")).to_have_value(SENTENCE)
    expect(page.get_by_role("link", name="Start")).to_be_visible()
    expect(page.get_by_role("slider", name="Decoding step")).to_have_value("3")
    expect(tokens(page).nth(2)).to_have_attribute("aria-pressed", "true")
    assert query_of(page) == {"text": SENTENCE, "beam_width": "2", "step": "3"}
    assert labels(page, "x")[-1] == "</s>"


def test_the_start_page_shows_a_run_and_leads_on(server, new_page):
    page = opened(new_page(), server)
    typed = page.get_by_role("textbox").input_value()
    page.get_by_role("link", name="See more of this run").click()
    expect(page.get_by_role("textbox", name="English sentence")).to_have_value(typed)
    expect(tokens(page).first).to_be_visible()


def test_enter_shows_the_run_and_updates_the_address(server, new_page):
    page = new_page()
    page.goto(link(server))
    expect(page.get_by_text("Nothing to translate yet")).to_be_visible()
    page.get_by_role("textbox", name="English sentence").fill("Where is the station?")
    page.get_by_role("textbox", name="English sentence").press("Enter")
    page.wait_for_selector(HEATMAP)
    assert "station" in labels(page, "x")
    page.wait_for_url("**/translation?text=Where+is+the+station*")
    page.get_by_text("How old are you?").click()
    expect(page.get_by_role("textbox", name="English sentence")).to_have_value("How old are you?")
    expect(page.locator(".figure .xtick text").first).to_have_text("How")


def test_token_row_bar_and_slider_select_the_same_step(server, new_page):
    page = opened(new_page(), link(server, text=SENTENCE))
    slider = page.get_by_role("slider", name="Decoding step")

    def is_selected(step):
        expect(slider).to_have_value(str(step))
        expect(tokens(page).nth(step - 1)).to_have_attribute("aria-pressed", "true")
        settled(page)
        assert query_of(page).get("step", "1") == str(step)

    tokens(page).nth(2).click()
    is_selected(3)
    slider.press("ArrowRight")
    is_selected(4)

    def pick(move, click, hovered, step):
        """Click as a person does: where the hover is, and once more if the chart was redrawn."""
        for _ in range(8):
            with suppress(AssertionError, Error):
                move()
                expect(page.locator(".hovertext")).to_contain_text(hovered, timeout=2_000)
                click()
                expect(slider).to_have_value(str(step), timeout=3_000)
                break
        is_selected(step)

    def second():
        box = matrix(page)
        return box["x"] + 30, box["y"] + box["height"] * 1.5 / len(labels(page, "y"))

    def move():
        x, y = second()
        page.mouse.move(x - 5, y - 5)
        page.mouse.move(x, y)

    pick(move, lambda: page.mouse.click(*second()), "y2 ", 2)
    page.get_by_role("tab", name="Probabilities").click()
    bar = page.get_by_label("Probability of each").locator(".point path").first
    brief = {"force": True, "timeout": 3_000}
    pick(lambda: bar.hover(**brief), lambda: bar.click(**brief), "y1 ", 1)


def test_hovering_names_both_tokens_and_the_weight(server, new_page):
    page = opened(new_page(), link(server, text=SENTENCE))
    box = matrix(page)
    page.mouse.move(box["x"] + 25, box["y"] + 25)
    page.mouse.move(box["x"] + 12, box["y"] + 12)
    hover = page.locator(".hovertext")
    expect(hover).to_contain_text(re.compile(r"y1 .+ ← x1 .+ \d\.\d\d"))


def test_markup_is_shown_as_text_and_never_run(server, new_page):
    evil = "<img src=x onerror='window.pwned=1'> <script>window.pwned=1</script> **bold**"
    page = opened(new_page(), link(server, text=evil))
    expect(page.get_by_role("textbox", name="English sentence")).to_have_value(evil)
    assert page.evaluate("window.pwned") is None
    assert any("<" in label for label in labels(page, "x"))


def test_downloads_and_the_copied_link(server, new_page):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    opened(page, link(server, text=SENTENCE, step=2))
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


@pytest.mark.parametrize(("width", "colours"), [(375, "dark"), (1920, "light")])
@pytest.mark.parametrize("path", ["", "translation"])
def test_accessible_and_inside_the_screen(server, new_page, path, width, colours):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    opened(page, link(server, path, text=SENTENCE, sentence=SENTENCE))
    check_accessible(page, width)
