"""Models of the Hub and uploads in headless Chromium."""

import re

import pytest
from playwright.sync_api import expect

from tests.served import HEATMAP, link, settled

pytestmark = pytest.mark.browser

OURS = ("card.toml", "config.json", "model.safetensors", "tokenizer.model", "README.md")
FIELD = "Id on the Hugging Face Hub, or a folder"


def name_a_model(page, server, name):
    page.goto(link(server, "models"))
    page.get_by_role("textbox", name=FIELD).fill(name)
    page.get_by_role("textbox", name=FIELD).press("Enter")


def test_fetching_shows_its_progress_and_can_be_cancelled(server, hub, new_page):
    hub.fail("[0-9a-f]{64}/model.safetensors", trickle=0.02)
    page = new_page()
    name_a_model(page, server, "user/slow")
    page.get_by_role("button", name=re.compile(r"Download \d")).click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name=re.compile(r"Download \d"))).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("textbox", name=FIELD)).to_have_value("user/slow")
    hub.faults.clear()


@pytest.mark.slow
def test_a_model_is_fetched_opened_and_seen_head_by_head(server, new_page):
    page = new_page()
    name_a_model(page, server, "user/tiny")
    page.get_by_role("button", name=re.compile(r"Download \d")).click()
    expect(page.get_by_text("is loaded")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("table")).to_contain_text("Transformer")
    page.get_by_role("link", name="Open").first.click()
    page.get_by_role("textbox", name="English sentence").fill("The old dog sleeps.")
    page.get_by_role("textbox", name="English sentence").press("Enter")
    page.get_by_role("tab", name="Attention").click()
    page.wait_for_selector(HEATMAP)
    settled(page)
    drawn = "JSON.stringify(document.querySelector('.figure.js-plotly-plot')._fullData[0].z)"
    mean = page.evaluate(drawn)
    for name, value in (("Layer", "2"), ("Head", "1")):
        page.get_by_role("combobox", name=name, exact=True).fill(value)
        page.get_by_role("combobox", name=name, exact=True).press("Enter")
        settled(page)
    page.wait_for_function(f"before => {drawn} !== before", arg=mean)
    page.wait_for_url("**/translation?*checkpoint=user%2Ftiny*")
    assert "layer=2" in page.url
    assert "head=1" in page.url
    page.get_by_role("combobox", name="Attention", exact=True).fill("Encoder self-attention")
    page.get_by_role("combobox", name="Attention", exact=True).press("Enter")
    expect(page.locator(".figure.js-plotly-plot").first).to_contain_text("← source")


@pytest.mark.slow
def test_uploaded_files_can_be_opened(server, new_page, checkpoint_root):
    page = new_page()
    page.goto(link(server, "models"))
    page.get_by_role("button", name="Upload a model's files").click()
    files = [checkpoint_root / "lstm-attention" / name for name in OURS]
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_text("is loaded")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("table")).to_contain_text("LSTM, general attention")


@pytest.mark.slow
def test_a_card_of_the_catalogue_opens_its_model(server, new_page):
    page = new_page()
    page.goto(link(server, "models"))
    spelling = page.get_by_role("link", name="Open").and_(page.locator("[href*=spelling]"))
    expect(spelling).to_have_attribute("href", re.compile("pronunciation[?]checkpoint=spelling"))
    card = page.get_by_test_id("stVerticalBlock").filter(has_text="T5 for summaries").last
    card.get_by_role("link", name="Open").click()
    page.wait_for_url("**/summarization?checkpoint=t5-summarizer")
    expect(page.get_by_role("heading", name="Summarization")).to_be_visible()
    expect(page.get_by_role("combobox", name="Checkpoint")).to_have_value(
        "T5 for summaries, small · download of 242 MB"
    )
    expect(page.get_by_role("button", name="Download 242 MB")).to_be_visible()
