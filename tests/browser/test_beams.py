"""Branches and the beam tree in headless Chromium, with the checkpoint of the repository."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import Error, expect

from tests.served import check_accessible, served_app, settled

pytestmark = pytest.mark.browser

SENTENCE = "I would like to know when the next train leaves."
TREE = ".st-key-chart_beam_tree .figure.js-plotly-plot"
# Where a node is on the screen; the last trace holds a point for each.
PLACE = """([name, step]) => {
  const chart = document.querySelector(".st-key-chart_beam_tree .figure.js-plotly-plot");
  const points = chart.data.find((trace) => trace.customdata);
  const index = points.hovertext.findIndex(
    (text) => text.startsWith(`step ${step} <b>${name}</b>`));
  const { xaxis, yaxis } = chart._fullLayout, box = chart.getBoundingClientRect();
  return [box.x + xaxis._offset + xaxis.l2p(points.x[index]),
          box.y + yaxis._offset + yaxis.l2p(points.y[index])];
}"""


@pytest.fixture(scope="module")
def server():
    with served_app() as address:
        yield address


def opened(page, server, tab, **query):
    query = {"text": [SENTENCE], **query, "tab": [tab]}
    page.goto(f"{server}/translation?{urlencode(query, True)}")
    page.wait_for_selector(TREE if tab == "Beam tree" else ".figure.js-plotly-plot .barlayer")
    settled(page)
    return page


def query_of(page):
    return parse_qs(urlparse(page.url).query)


def hit(page, place, hovered, done):
    """Click where the hover is, and once more if the chart was redrawn in between."""
    for _ in range(6):
        with suppress(AssertionError, Error):
            x, y = place()
            page.mouse.move(x - 4, y - 4)
            page.mouse.move(x, y)
            expect(page.locator(".hovertext")).to_contain_text(hovered, timeout=2_000)
            page.mouse.click(x, y)
            done(4_000)
            return
    done(1_000)


def rows(page):
    return page.get_by_role("group", name="Outputs").locator("button.select")


def test_a_node_tells_about_itself_and_leads_on(server, new_page):
    page = opened(new_page(viewport={"width": 1280, "height": 2000}), server, "Beam tree")
    told = page.get_by_text("Step 4:")

    def chosen(timeout):
        expect(told).to_be_visible(timeout=timeout)
        expect(page.get_by_text("connaître").first).to_be_visible(timeout=timeout)

    hit(page, lambda: page.evaluate(PLACE, ["connaître", 4]), "connaître", chosen)
    expect(page.get_by_role("slider", name="Decoding step")).to_have_value("4")
    page.get_by_role("button", name="Go on from here").click()
    expect(rows(page)).to_have_count(2)
    expect(rows(page).last).to_have_attribute("aria-pressed", "true")
    expect(rows(page).last.locator("u.first")).to_have_text("connaître")
    settled(page)
    assert query_of(page)["output"] == ["A"]
    assert len(query_of(page)["branch"][0].split(".")) == 4
    page.wait_for_function(
        "document.querySelector('.st-key-chart_beam_tree .figure.js-plotly-plot')"
        ".data.some((trace) => trace.line && trace.line.color == '#8a3fb0')"
    )
    # The link restores both, and the branch can be removed.
    link = {name: values for name, values in query_of(page).items() if name != "tab"}
    again = opened(new_page(), server, "Beam tree", **link)
    expect(rows(again)).to_have_count(2)
    again.get_by_role("button", name="Remove branch A").click()
    expect(rows(again)).to_have_count(0)
    settled(again)
    assert "branch" not in query_of(again)


def test_an_alternative_is_a_click_or_a_key_away(server, new_page):
    page = opened(new_page(viewport={"width": 1280, "height": 2000}), server, "Probabilities")

    def place():
        box = page.locator(".st-key-chart_alternatives .nsewdrag").first.bounding_box()
        return box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 1.5 / 10

    added = page.get_by_role("button", name="Remove branch A")
    hit(page, place, "probability", lambda timeout: expect(added).to_be_visible(timeout=timeout))
    other = page.get_by_role("button", name="Go on with it")
    other.focus()
    other.press("Enter")
    expect(page.get_by_role("button", name="Remove branch B")).to_be_visible()
    settled(page)
    assert len(query_of(page)["branch"]) == 2


def test_penalties_rank_anew_and_a_row_chooses_an_output(server, new_page):
    page = opened(new_page(viewport={"width": 1280, "height": 2000}), server, "Beam tree")
    slider = page.get_by_role("slider", name="Score with a length penalty of")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    expect(slider).to_have_value("0.85")
    settled(page)
    page.wait_for_url("**rank_length=0.85*")
    table = page.get_by_test_id("stDataFrame")
    box = table.bounding_box()
    page.mouse.click(box["x"] + 17, box["y"] + 36 + 35 * 1.5)
    expect(page.get_by_role("combobox", name="Output").first).not_to_have_value("1")
    settled(page)
    assert query_of(page)["output"] != ["1"]


def test_the_tree_is_saved_as_data(server, new_page):
    page = opened(new_page(viewport={"width": 1280, "height": 2000}), server, "Beam tree")
    page.locator(".st-key-save_beam_tree").get_by_role("button").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("node,parent,step,token")
    assert len(lines) > 50


@pytest.mark.parametrize(("colours", "width"), [("light", 375), ("dark", 1280)])
def test_it_is_accessible_and_the_page_stays_inside_the_screen(server, new_page, colours, width):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    opened(page, server, "Beam tree", branch="61")
    expect(rows(page)).to_have_count(2)
    check_accessible(page, width)
    container = page.locator(".st-key-chart_beam_tree").bounding_box()
    assert container["x"] + container["width"] <= width
