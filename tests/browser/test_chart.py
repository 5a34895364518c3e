"""Figures on a page of the real app: when they are drawn, where, and how large."""

import pytest
from playwright.sync_api import expect

from tests.served import FIGURE, check_accessible, link, settled

pytestmark = pytest.mark.browser

GATES = ".st-key-chart_gates .figure"
# Notes in which order figures are drawn from now on.
NOTE = """() => {
  window.drawn = [];
  document.querySelectorAll(".figure").forEach((figure) => figure.on("plotly_afterplot", () =>
    window.drawn.push(figure.closest("[class*=st-key-chart_]").className.match(/chart_(\\w+)/)[1])
  ));
}"""


@pytest.fixture
def inside(server, new_page):
    """Figures below each other, all of them drawn."""
    page = new_page()
    query = {"checkpoint": "lstm-attention", "tab": "Step internals", "step": 2}
    # A given beginning, since no two of its tokens are alike.
    query |= {"prefix": "Le chat dort", "max_length": 8}
    page.goto(link(server, text="The old dog sleeps in the garden.", **query))
    expect(page.locator(f"{FIGURE} .main-svg:first-child")).to_have_count(7)
    settled(page)
    return page


def test_what_is_in_sight_is_drawn_first_and_in_its_place_if_it_changed(inside):
    inside.evaluate(NOTE)
    inside.get_by_role("button", name="Save", exact=True).first.click()
    expect(inside.get_by_role("button", name="PNG")).to_be_visible()
    settled(inside)
    assert inside.evaluate("window.drawn") == []  # a rerun that changes no figure draws none
    inside.keyboard.press("Escape")
    slider = inside.get_by_role("slider", name="Decoding step")
    slider.focus()
    inside.locator(".st-key-chart_source_scores").scroll_into_view_if_needed()
    before = inside.locator(GATES).element_handle()
    values = "(figure) => JSON.stringify(figure._fullData[0].z)"
    old = before.evaluate(values)
    inside.keyboard.press("ArrowRight")
    inside.wait_for_function("window.drawn.length >= 5")
    settled(inside)
    drawn = inside.evaluate("window.drawn")
    assert drawn[0] != "embedding"  # the first of the page, far above
    assert set(drawn) >= {"context", "embedding", "gates", "logits", "source_scores"}
    assert before.evaluate("(figure) => figure.isConnected")
    assert before.evaluate(values) != old


@pytest.mark.slow
def test_a_figure_is_as_wide_as_its_place_or_fills_the_screen(inside):
    width, height = (
        f"document.querySelector('{GATES} .main-svg').getBoundingClientRect().{side}"
        for side in ("width", "height")
    )
    wide = inside.evaluate(width)
    inside.set_viewport_size({"width": 700, "height": 900})
    inside.wait_for_function(f"{width} < {wide} - 50")
    place = inside.locator(GATES).bounding_box()
    assert inside.evaluate(width) == pytest.approx(place["width"], abs=1)
    check_accessible(inside)
    low = inside.evaluate(height)
    inside.locator(GATES).scroll_into_view_if_needed()
    inside.locator(GATES).hover()
    inside.locator(".st-key-chart_gates").get_by_role("button", name="Fill the screen").click()
    inside.wait_for_function(f"{height} > 1.5 * {low}")
    inside.wait_for_function("document.fullscreenElement !== null")
    inside.evaluate("document.exitFullscreen()")
    inside.wait_for_function(f"{height} === {low}")
