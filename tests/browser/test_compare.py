"""The race in headless Chromium, with the embedded checkpoints."""

from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import expect

from tests.served import HEATMAP, check_accessible, served_app, settled

pytestmark = pytest.mark.browser

SENTENCE = "The old dog that my sister bought sleeps in the garden."


@pytest.fixture(scope="module")
def server():
    with served_app() as address:
        yield address


def opened(page, server, charts=4, **query):
    page.goto(f"{server}/compare?{urlencode({'sentence': SENTENCE, **query}, doseq=True)}")
    page.wait_for_selector(HEATMAP)  # of the first: models are loaded one after the other
    expect(page.locator(HEATMAP)).to_have_count(charts)
    settled(page)
    return page


def test_four_run_with_one_step_and_a_link_restores_them(server, new_page):
    page = opened(new_page(), server)
    slider = page.get_by_role("slider", name="Decoding step of all")
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    page.wait_for_url("**race_step=3*")
    rows = page.get_by_role("group", name="Output tokens")
    expect(rows).to_have_count(4)
    for row in rows.all():
        expect(row.get_by_role("button").nth(2)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("textbox", name="A translation of it").fill("Le vieux chien dort au jardin.")
    page.get_by_role("textbox", name="A translation of it").press("Enter")
    page.wait_for_url("**reference=*")
    query = parse_qs(urlparse(page.url).query)
    again = opened(new_page(), server, **query)
    expect(again.get_by_role("slider", name="Decoding step of all")).to_have_value("3")
    expect(again.get_by_role("textbox", name="A translation of it")).to_have_value(
        "Le vieux chien dort au jardin."
    )


def test_a_run_is_looked_into_on_the_page_of_its_task(server, new_page):
    page = opened(new_page(), server, race_step="2")
    page.get_by_role("link", name="Look inside this run").nth(3).click()
    expect(page.get_by_role("heading", name="Translation", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="English sentence")).to_have_value(SENTENCE)
    expect(page.get_by_role("slider", name="Decoding step")).to_have_value("2")
    page.wait_for_url("**checkpoint=transformer-en-fr*")


@pytest.mark.parametrize(("width", "colours"), [(375, "dark"), (1920, "light")])
def test_accessible_and_inside_the_screen(server, new_page, width, colours):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    check_accessible(opened(page, server), width)
