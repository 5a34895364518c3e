"""Models of the Hub, uploads and recordings in headless Chromium."""

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from tests.hub_server import serving
from tests.served import (
    HEATMAP,
    check_accessible,
    served_app,
    settled,
)

pytestmark = pytest.mark.browser

OURS = ("card.toml", "config.json", "model.safetensors", "tokenizer.model", "README.md")
FIELD = "Id on the Hugging Face Hub, or a folder"


@pytest.fixture(scope="module")
def hub(checkpoint_root, tmp_path_factory):
    """A Hub on loopback that has a tiny Transformer."""
    changed = {"HF_HOME": str(tmp_path_factory.mktemp("home"))}
    with serving() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in (changed | {"HF_ENDPOINT": running.hub}).items():
            patch.setenv(name, value)
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "SPACE_ID", "SEQ2SEQ_HOSTED"):
            patch.delenv(name, raising=False)
        files = {name: (checkpoint_root / "transformer" / name).read_bytes() for name in OURS}
        running.model("user/tiny", files)
        running.model("user/slow", files | {"config.json": files["config.json"] + b" "})
        yield running


@pytest.fixture(scope="module")
def server(hub):
    with served_app() as address:
        yield address


def name_a_model(page, server, name):
    page.goto(f"{server}/models")
    page.get_by_role("textbox", name=FIELD).fill(name)
    page.get_by_role("textbox", name=FIELD).press("Enter")


def test_fetching_shows_its_progress_and_can_be_cancelled(server, hub, new_page):
    hub.fail("[0-9a-f]{64}/model.safetensors", trickle=0.02)
    page = new_page()
    name_a_model(page, server, "user/slow")
    page.get_by_role("button", name="Fetch").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Fetch")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("textbox", name=FIELD)).to_have_value("user/slow")
    hub.faults.clear()


def test_a_model_is_fetched_opened_and_seen_head_by_head(server, new_page):
    page = new_page()
    name_a_model(page, server, "user/tiny")
    page.get_by_role("button", name="Fetch").click()
    expect(page.get_by_text("can be used")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("table")).to_contain_text("Transformer")
    page.get_by_role("link", name="Use it").click()
    page.get_by_role("textbox", name="English sentence").fill("The old dog sleeps.")
    page.get_by_role("textbox", name="English sentence").press("Enter")
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
    page.get_by_role("combobox", name="Attention", exact=True).fill("Within the source")
    page.get_by_role("combobox", name="Attention", exact=True).press("Enter")
    expect(page.locator(".figure.js-plotly-plot").first).to_contain_text("← source")


def test_uploaded_files_can_be_opened(server, new_page, checkpoint_root):
    page = new_page()
    page.goto(f"{server}/models")
    page.get_by_role("button", name="Upload a model's files").click()
    files = [checkpoint_root / "lstm-attention" / name for name in OURS]
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_text("can be used")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("table")).to_contain_text("LSTM, general attention")


def test_a_recording_is_written_down_where_it_is_heard(server, new_page, tmp_path):
    page = new_page()
    page.goto(f"{server}/speech")
    page.get_by_text("seven three one zero").click()
    page.wait_for_selector(HEATMAP)
    settled(page)
    expect(page.locator("p.text").first).to_have_text("seven three one zero")
    expect(page.locator(".figure.js-plotly-plot").first).to_contain_text("seconds")
    assert "recording=seven+three+one+zero" in page.url
    sound = tmp_path / "tone.wav"
    soundfile.write(sound, 0.1 * np.sin(np.arange(16_000) / 5).astype(np.float32), 16_000)
    page.locator("input[type=file]").first.set_input_files(sound)
    expect(page.locator("p.text").first).not_to_have_text("seven three one zero", timeout=30_000)


def test_what_is_no_recording_is_said(server, new_page, tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("This is no sound.")
    page = new_page()
    page.goto(f"{server}/speech")
    page.locator("input[type=file]").first.set_input_files(text)
    expect(page.get_by_text("text.wav cannot be read")).to_be_visible(timeout=30_000)


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1920])
@pytest.mark.parametrize("path", ["models", "speech", "summarization"])
def test_accessible_and_inside_the_screen(server, new_page, path, width, colours):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    page.goto(f"{server}/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settled(page)
    check_accessible(page, width)


def test_a_card_of_the_catalogue_opens_its_model(server, new_page):
    page = new_page()
    page.goto(f"{server}/models")
    card = page.get_by_test_id("stVerticalBlock").filter(has_text="T5 for summaries").last
    card.get_by_role("link", name="Open it").click()
    page.wait_for_url("**/summarization?checkpoint=t5-summarizer")
    expect(page.get_by_role("heading", name="Summarization")).to_be_visible()
    expect(page.get_by_role("combobox", name="Checkpoint")).to_have_value("t5-summarizer")
    expect(page.get_by_role("button", name="Fetch 242 MB")).to_be_visible()
