"""The pictures of attention in headless Chromium: what is hovered over, what a click selects."""

import re
from contextlib import suppress
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import Error, expect

from tests.served import check_accessible, served_app, settled

pytestmark = pytest.mark.browser

SENTENCE = "The old dog sleeps."
LONG = "The old dog sleeps in the garden. " * 8


@pytest.fixture(scope="module")
def server(checkpoint_root):
    with served_app(checkpoint_root) as address:
        yield address


def open_tab(page, server, **query):
    query = {"checkpoint": "transformer", "text": SENTENCE, "max_length": "8", **query}
    page.goto(f"{server}/translation?{urlencode(query)}")
    page.wait_for_selector(".figure.js-plotly-plot .main-svg")
    settled(page)
    return page


def query_of(page):
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def at_point(page, key, data):
    """Return where the point of a chart is whose customdata begins so."""
    chart = page.locator(f".st-key-chart_{key} .figure.js-plotly-plot")
    expect(chart).to_have_count(1, timeout=20_000)  # the old one goes when the new one is there
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    return chart.evaluate(
        """(chart, data) => {
          const {xaxis, yaxis} = chart._fullLayout;
          for (const trace of chart._fullData) {
            const index = (trace.customdata || []).findIndex(
              (each) => data.every((value, place) => each[place] === value));
            if (index < 0 || trace.type !== "scatter") continue;
            const box = chart.getBoundingClientRect();
            return [box.x + xaxis._offset + xaxis.d2p(trace.x[index]),
                    box.y + yaxis._offset + yaxis.d2p(trace.y[index])];
          }
        }""",
        data,
    )


def click(page, key, data, hovered, done):
    """Click as a person does: where the hover is, and once more if the chart was redrawn."""
    for _ in range(6):
        with suppress(AssertionError, Error):
            x, y = at_point(page, key, data)
            page.mouse.move(x - 3, y - 3)
            page.mouse.move(x, y)
            expect(page.locator(".hovertext")).to_contain_text(hovered, timeout=2_000)
            page.mouse.click(x, y)
            page.wait_for_url(done, timeout=4_000)
            break
    settled(page)
    assert done(page.url)


def has(**wanted):
    def check(url):
        query = {name: values[0] for name, values in parse_qs(urlparse(url).query).items()}
        return all(query.get(name) == value for name, value in wanted.items())

    return check


def test_a_cell_selects_its_step_and_its_source_token(server, new_page):
    page = open_tab(new_page(), server)
    hovered = re.compile(r"y3 .+ ← x2 .+ \d\.\d\d\d+(st|nd|rd|th) of \d+; row entropy \d\.\d bits")
    click(page, "attention", [2, 1], hovered, has(step="3", word="2"))
    expect(page.get_by_role("slider", name="Decoding step")).to_have_value("3")
    source = page.get_by_role("group", name="Source tokens").get_by_role("button")
    expect(source.nth(1)).to_have_attribute("aria-pressed", "true")
    click(page, "attention", [4, 3], "y5 ", has(step="5", word="4"))
    expect(page.locator(".st-key-chart_attention .shapelayer path")).to_have_count(2)


def test_a_ribbon_and_a_token_select(server, new_page):
    page = open_tab(new_page(), server, picture="Ribbons", mass="1.0")
    click(page, "ribbons", [None, 2], "x3 ", has(word="3"))
    click(page, "ribbons", [3, None], "y4 ", has(step="4", word="3"))


def test_the_mass_is_set_by_keyboard_and_kept_in_the_link(server, new_page):
    page = open_tab(new_page(), server, picture="Ribbons")
    ribbons = """document.querySelectorAll(".st-key-chart_ribbons .shapelayer path").length
      && [...document.querySelectorAll(".st-key-chart_ribbons .shapelayer path")]
        .map((path) => path.getAttribute("d").split("M").length).reduce((a, b) => a + b)"""
    before = page.evaluate(ribbons)
    mass = page.get_by_role("slider", name="Share of each row")
    for _ in range(4):
        mass.press("ArrowLeft")
    page.wait_for_function(f"({ribbons}) < {before}")
    page.wait_for_url(has(mass="0.55"))


def test_a_head_opens(server, new_page):
    page = open_tab(new_page(), server, picture="All heads")
    opened = has(layer="2", head="1", picture=None)
    click(page, "heads", [1, 0], "layer 2, head 1", opened)
    expect(page.locator(".st-key-chart_attention .figure.js-plotly-plot")).to_have_count(1)


def test_a_block_opens(server, new_page):
    page = open_tab(new_page(), server, text=LONG)
    click(page, "blocks", [0, 4], "The old dog", has(row_sentence="1", column_sentence="5"))
    first = page.locator(".st-key-chart_attention .xtick text").first
    expect(first).to_have_text("The")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize(
    "query",
    [
        {"picture": "Ribbons"},
        {"picture": "All heads"},
        {"text": LONG},
        {"checkpoint": "gru-plain"},
    ],
    ids=["ribbons", "heads", "blocks", "context"],
)
def test_accessible_and_inside_a_phone(server, new_page, query, colours):
    page = new_page(viewport={"width": 375, "height": 900}, color_scheme=colours)
    check_accessible(open_tab(page, server, **query), 375)
