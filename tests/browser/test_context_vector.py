"""The context vector in headless Chromium, with tiny checkpoints."""

from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import expect

from tests.served import check_accessible, served_app, settled

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(checkpoint_root):
    with served_app(checkpoint_root) as address:
        yield address


def opened(page, server, **query):
    page.goto(f"{server}/context_vector?{urlencode({'b': 'Where is the cat?', **query})}")
    page.wait_for_selector(".figure.js-plotly-plot .heatmaplayer")
    settled(page)
    return page


def test_a_change_is_decoded_linked_and_saved(server, new_page):
    page = opened(new_page(accept_downloads=True), server, checkpoint="gru-plain")
    page.get_by_text("Noise", exact=True).click()
    slider = page.get_by_role("slider", name="Size of the noise")
    expect(slider).to_be_visible()
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_url("**noise=0.55*")
    expect(page.get_by_text("Gaussian noise 0.55 times")).to_be_visible()
    assert parse_qs(urlparse(page.url).query)["change"] == ["Noise"]
    again = opened(
        new_page(), server, **{k: v[0] for k, v in parse_qs(urlparse(page.url).query).items()}
    )
    expect(again.get_by_text("Gaussian noise 0.55 times")).to_be_visible()
    again.locator(".st-key-save_states button").click()
    with again.expect_download() as download:
        again.get_by_role("button", name="CSV", exact=True).click()
    assert download.value.suggested_filename == "states.csv"


@pytest.mark.parametrize(
    ("name", "change", "width", "colours"),
    [
        ("gru-plain", "Interpolate", 375, "dark"),
        ("rnn-additive", "Encoder halves", 1280, "light"),
        ("transformer", "Swap", 375, "light"),
    ],
)
def test_accessible_and_inside_the_screen(server, new_page, name, change, width, colours):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    check_accessible(opened(page, server, checkpoint=name, change=change), width)
