"""The map of sentences in headless Chromium."""

import re

import pytest
from playwright.sync_api import expect

from tests.served import FIGURE, link, opened, query_of

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_click_names_neighbours_a_link_too_and_there_are_three_dimensions(server, new_page):
    points = f"{FIGURE} .scatterlayer .point"
    page = opened(new_page(), link(server, "sentence_map", feature="voice"), points)
    page.locator(points).nth(5).click(force=True)
    expect(page.get_by_text(re.compile("^Nearest neighbours of"))).to_be_visible()
    page.wait_for_url("**sentence=*")
    sentence = query_of(page)["sentence"]
    again = opened(new_page(), page.url, points)
    expect(again.get_by_text(re.compile("^Nearest neighbours of"))).to_contain_text(sentence)
    again.get_by_text("PCA, 3-d").click()
    again.wait_for_function(f"document.querySelector('{FIGURE}').data[0].type === 'scatter3d'")
