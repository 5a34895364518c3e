"""The context vector in headless Chromium."""

import pytest
from playwright.sync_api import expect

from tests.served import link, opened, query_of

pytestmark = pytest.mark.browser


def test_a_change_is_decoded_linked_and_saved(server, new_page):
    query = {"b": "Where is the cat?", "checkpoint": "gru-plain"}
    page = opened(new_page(), link(server, "context_vector", **query))
    page.get_by_text("Noise", exact=True).click()
    slider = page.get_by_role("slider", name="Noise, as a multiple")
    expect(slider).to_be_visible()
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_url("**noise=0.55*")
    expect(page.get_by_text("Gaussian noise of 0.55 times")).to_be_visible()
    assert query_of(page)["change"] == "Noise"
    again = opened(new_page(), page.url)
    expect(again.get_by_text("Gaussian noise of 0.55 times")).to_be_visible()
    again.locator(".st-key-save_states button").click()
    with again.expect_download() as download:
        again.get_by_role("button", name="CSV", exact=True).click()
    assert download.value.suggested_filename == "states.csv"
