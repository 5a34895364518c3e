"""The comparison of architectures in headless Chromium."""

import pytest
from playwright.sync_api import expect

from tests.served import HEATMAP, link, opened

pytestmark = pytest.mark.browser

SENTENCE = "The old dog that my sister bought sleeps in the garden."
REFERENCE = "Le vieux chien dort au jardin."
MODELS = ["lstm-attention", "gru-plain", "rnn-additive", "transformer"]


@pytest.mark.slow
def test_four_run_with_one_step_a_link_restores_them_and_leads_on(server, new_page):
    page = opened(new_page(), link(server, "compare", sentence=SENTENCE, models=MODELS))
    rows = page.get_by_role("group", name="Output tokens")
    expect(rows).to_have_count(4)
    expect(page.locator(HEATMAP)).to_have_count(4)
    slider = page.get_by_role("slider", name="Decoding step")
    rows.first.get_by_role("button").nth(1).click()
    expect(slider).to_have_value("2")
    slider.press("ArrowRight")
    page.wait_for_url("**race_step=3*")
    for row in rows.all():
        expect(row.get_by_role("button").nth(2)).to_have_attribute("aria-pressed", "true")
    reference = page.get_by_role("textbox", name="Reference translation")
    reference.fill(REFERENCE)
    reference.press("Enter")
    page.wait_for_url("**reference=*")
    again = opened(new_page(), page.url)
    expect(again.get_by_role("slider", name="Decoding step")).to_have_value("3")
    expect(again.get_by_role("textbox", name="Reference translation")).to_have_value(REFERENCE)
    again.get_by_role("link", name="Open this run").nth(3).click()
    expect(again.get_by_role("heading", name="Translation", exact=True)).to_be_visible()
    expect(again.get_by_role("textbox", name="English sentence")).to_have_value(SENTENCE)
    expect(again.get_by_role("slider", name="Decoding step")).to_have_value("3")
    again.wait_for_url("**checkpoint=transformer*")
