"""The map of sentences in headless Chromium, with the embedded checkpoint."""

from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import expect

from tests.served import check_accessible, served_app, settled

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server():
    with served_app() as address:
        yield address


def opened(page, server, **query):
    page.goto(f"{server}/sentence_map?{urlencode(query)}")
    page.wait_for_selector(".figure.js-plotly-plot .scatterlayer")
    settled(page)
    return page


def test_a_click_on_a_point_names_its_neighbours(server, new_page):
    page = opened(new_page(), server, feature="voice")
    point = page.locator(".figure.js-plotly-plot").first.locator(".scatterlayer .point").nth(5)
    point.click(force=True)
    expect(page.get_by_text("Nearest to")).to_be_visible()
    page.wait_for_url("**sentence=*")
    sentence = parse_qs(urlparse(page.url).query)["sentence"][0]
    again = opened(new_page(), server, feature="voice", sentence=sentence)
    expect(again.get_by_text("Nearest to")).to_contain_text(sentence)


def test_three_dimensions_are_drawn(server, new_page):
    page = opened(new_page(), server)
    page.get_by_text("PCA, 3-d").click()
    drawn = "document.querySelector('.figure.js-plotly-plot').data[0].type === 'scatter3d'"
    page.wait_for_function(drawn)


@pytest.mark.parametrize(("width", "colours"), [(375, "dark"), (1920, "light")])
def test_accessible_and_inside_the_screen(server, new_page, width, colours):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    check_accessible(opened(page, server), width)
