"""The pictures of attention in headless Chromium: what is hovered over, what a click selects."""

import re
from urllib.parse import parse_qsl, urlparse

import pytest
from playwright.sync_api import expect

from tests.served import FIGURE, hit, link, opened, settled, still

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps."
LONG = "The old dog sleeps in the garden. " * 8
# Where the point of a chart is whose customdata begins so.
POINT = """(chart, data) => {
  const {xaxis, yaxis} = chart._fullLayout;
  for (const trace of chart._fullData) {
    const index = (trace.customdata || []).findIndex(
      (each) => data.every((value, place) => each[place] === value));
    if (index < 0 || trace.type !== "scatter") continue;
    const box = chart.getBoundingClientRect();
    return [box.x + xaxis._offset + xaxis.d2p(trace.x[index]),
            box.y + yaxis._offset + yaxis.d2p(trace.y[index])];
  }
}"""


def open_tab(page, server, **query):
    query = {"checkpoint": "transformer", "text": SENTENCE, "max_length": "8", **query}
    return opened(page, link(server, **query), f"{FIGURE} .main-svg")


def click(page, key, data, hovered, **wanted):
    """Click on a point of a chart, until the address has these values."""

    def place():
        chart = page.locator(f".st-key-chart_{key} {FIGURE}")
        expect(chart).to_have_count(1, timeout=20_000)  # the old one goes when the new one is there
        still(chart)
        return chart.evaluate(POINT, data)

    hit(page, place, hovered, lambda limit: page.wait_for_url(has(**wanted), timeout=limit))
    settled(page)


def has(**wanted):
    def check(url):
        query = dict(parse_qsl(urlparse(url).query))
        return all(query.get(name) == value for name, value in wanted.items())

    return check


def test_a_cell_selects_its_step_and_its_source_token(server, new_page):
    page = open_tab(new_page(), server)
    hovered = re.compile(r"y3 .+ ← x2 .+ \d\.\d\d\d+(st|nd|rd|th) of \d+; row entropy \d\.\d bits")
    click(page, "attention", [2, 1], hovered, step="3", word="2")
    expect(page.get_by_role("slider", name="Decoding step")).to_have_value("3")
    source = page.get_by_role("group", name="Source tokens").get_by_role("button")
    expect(source.nth(1)).to_have_attribute("aria-pressed", "true")
    click(page, "attention", [4, 3], "y5 ", step="5", word="4")
    expect(page.locator(".st-key-chart_attention .shapelayer path")).to_have_count(2)


@pytest.mark.slow
def test_a_ribbon_and_a_token_select_and_fewer_ribbons_show_less_mass(server, new_page):
    page = open_tab(new_page(), server, picture="Ribbons", mass="1.0")
    click(page, "ribbons", [None, 2], "x3 ", word="3")
    click(page, "ribbons", [3, None], "y4 ", step="4", word="3")
    ribbons = """document.querySelectorAll(".st-key-chart_ribbons .shapelayer path").length
      && [...document.querySelectorAll(".st-key-chart_ribbons .shapelayer path")]
        .map((path) => path.getAttribute("d").split("M").length).reduce((a, b) => a + b)"""
    before = page.evaluate(ribbons)
    mass = page.get_by_role("slider", name="Share of each row")
    for _ in range(4):
        mass.press("ArrowLeft")
    page.wait_for_function(f"({ribbons}) < {before}")
    page.wait_for_url(has(mass="0.8"))


@pytest.mark.slow
def test_a_head_opens(server, new_page):
    page = open_tab(new_page(), server, picture="All heads")
    click(page, "heads", [1, 0], "layer 2, head 1", layer="2", head="1", picture=None)
    expect(page.locator(f".st-key-chart_attention {FIGURE}")).to_have_count(1)


@pytest.mark.slow
def test_a_block_opens(server, new_page):
    query = {"checkpoint": "summary-lstm-attention", "text": LONG, "max_length": 8}
    page = opened(new_page(), link(server, "summarization", **query), f"{FIGURE} .main-svg")
    click(page, "blocks", [0, 4], "The old dog", row_sentence="1", column_sentence="5")
    first = page.locator(".st-key-chart_attention .xtick text").first
    expect(first).to_have_text("The")


LIT = """() => [...document.querySelectorAll("*")].flatMap((each) => each.shadowRoot
  ? [...each.shadowRoot.querySelectorAll(".token.lit")].map((chip) => chip.title) : [])"""


@pytest.mark.slow
@pytest.mark.parametrize("by_word", ["false", "true"])
def test_a_cell_that_is_hovered_over_lights_its_tokens(server, new_page, by_word):
    page = open_tab(new_page(), server, checkpoint="lstm-attention", by_word=by_word)
    chart = page.locator(f".st-key-chart_attention {FIGURE}")
    still(chart)
    rows, columns = chart.evaluate("""(chart) => {
      const points = chart._fullData.find((trace) => trace.type === "scatter").customdata;
      return [points[points.length - 1][0], points[1][1]];
    }""")
    page.mouse.move(*chart.evaluate(POINT, [rows, columns]))
    page.wait_for_function(f"({LIT})().length >= 2")
    titles = page.evaluate(LIT)
    assert any(title == f"source token {columns + 1}" for title in titles)
    assert any(title.startswith(f"step {rows + 1}, ") for title in titles)
    page.mouse.move(5, 5)
    page.wait_for_function(f"({LIT})().length === 0")
