"""Branches and the beam tree in headless Chromium."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.served import FIGURE, hit, link, opened, queries_of, settled, still

pytestmark = pytest.mark.browser

SHORT = {"text": "Where is the small train station?", "max_length": 8}
TREE = f".st-key-chart_beam_tree {FIGURE}"
# The points of the tree: the last trace holds one for each node.
POINTS = """(chart) => {
  const points = chart.data.find((trace) => trace.customdata);
  const { xaxis, yaxis } = chart._fullLayout, box = chart.getBoundingClientRect();
  return points.hovertext.map((text, index) => ({
    text,
    x: box.x + xaxis._offset + xaxis.l2p(points.x[index]),
    y: box.y + yaxis._offset + yaxis.l2p(points.y[index]),
  }));
}"""


def open_tree(page, server, **query):
    query = SHORT | {"checkpoint": "lstm-attention", "tab": "Beam tree"} | query
    return opened(page, link(server, **query), TREE)


def rows(page):
    return page.get_by_role("group", name="Hypotheses").locator("button.select")


def pruned_node(page, step):
    """Return the token of a node at a step that the search did not go on with, and its place."""
    still(page.locator(TREE))
    for point in page.locator(TREE).evaluate(POINTS):
        begins, _, rest = point["text"].partition("<b>")
        token = rest.partition("</b>")[0]
        if begins.strip() == f"step {step}" and "pruned" in rest.lower() and token.isalpha():
            return token, point["x"], point["y"]
    raise AssertionError(f"nothing was pruned at step {step}")


@pytest.mark.slow
def test_a_node_tells_about_itself_and_leads_on(server, new_page):
    page = open_tree(new_page(height=2000), server)
    token = pruned_node(page, 4)[0]

    def chosen(limit):
        expect(page.get_by_text("Step 4:")).to_be_visible(timeout=limit)
        expect(page.get_by_text(token, exact=True).first).to_be_visible(timeout=limit)

    hit(page, lambda: pruned_node(page, 4)[1:], token, chosen)
    expect(page.get_by_role("slider", name="Decoding step")).to_have_value("4")
    page.get_by_role("button", name="Continue from here").click()
    expect(rows(page)).to_have_count(2)
    expect(rows(page).last).to_have_attribute("aria-pressed", "true")
    # What differs from the best hypothesis is underlined, the chosen token among it.
    expect(rows(page).last.locator("u").filter(has_text=token).first).to_be_visible()
    settled(page)
    assert queries_of(page)["output"] == ["A"]
    assert len(queries_of(page)["branch"][0].split(".")) == 4
    page.wait_for_function(
        f"document.querySelector('{TREE}')"
        ".data.some((trace) => trace.line && trace.line.color == '#8a3fb0')"
    )
    # The link restores both, and the branch can be removed.
    again = opened(new_page(), page.url, TREE)
    expect(rows(again)).to_have_count(2)
    again.get_by_role("button", name="Remove branch A").click()
    expect(rows(again)).to_have_count(0)
    settled(again)
    assert "branch" not in queries_of(again)


@pytest.mark.slow
def test_an_alternative_is_a_click_or_a_key_away(server, new_page):
    page = new_page(height=2000)
    opened(page, link(server, **SHORT, tab="Probabilities"), f"{FIGURE} .barlayer")

    def place():
        box = still(page.locator(".st-key-chart_alternatives .nsewdrag").first)
        return box["x"] + 5, box["y"] + box["height"] * 1.5 / 10

    added = page.get_by_role("button", name="Remove branch A")
    hit(page, place, "probability", lambda limit: expect(added).to_be_visible(timeout=limit))
    other = page.get_by_role("button", name="Continue with")
    other.focus()
    other.press("Enter")
    expect(page.get_by_role("button", name="Remove branch B")).to_be_visible()
    settled(page)
    assert len(queries_of(page)["branch"]) == 2


@pytest.mark.slow
def test_the_tree_is_saved_ranked_anew_and_a_row_chooses_an_output(server, new_page):
    page = open_tree(new_page(height=2000), server)
    page.locator(".st-key-save_beam_tree").get_by_role("button").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("node,parent,step,token")
    assert len(lines) > 50
    page.keyboard.press("Escape")
    slider = page.get_by_role("slider", name="Length penalty")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    expect(slider).to_have_value("0.85")
    settled(page)
    page.wait_for_url("**rank_length=0.85*")
    box = still(page.get_by_test_id("stDataFrame"))
    page.mouse.click(box["x"] + 17, box["y"] + 36 + 35 * 1.5)
    expect(page.get_by_role("combobox", name="Hypothesis").first).not_to_have_value("Hypothesis 1")
    settled(page)
    assert queries_of(page)["output"] != ["1"]
