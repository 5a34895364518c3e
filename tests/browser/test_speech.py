"""The speech page in headless Chromium, with a microphone that plays a file."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
import soundfile
from playwright.sync_api import expect

from tests.served import HEATMAP, check_accessible, chromium, opened, served_app, settled

pytestmark = pytest.mark.browser

RECORDINGS = Path(__file__).parents[2] / "assets" / "recordings"
EXAMPLE = "enter four seven nine"
PLAYED = """() => {
  window.played = [];
  document.addEventListener("playing", (event) => window.played.push(event.target.src), true);
}"""


@pytest.fixture(scope="module")
def server():
    with served_app() as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    spoken = tmp_path_factory.mktemp("microphone") / "spoken.wav"
    soundfile.write(spoken, *soundfile.read(RECORDINGS / "seven-three-one-zero.flac"))
    with chromium(
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={spoken}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    ) as browser:
        yield browser


def link(server, **query):
    return f"{server}/speech?{urlencode(query)}"


def query_of(page):
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def tokens(page):
    return page.get_by_role("group", name="Output tokens").get_by_role("button")


def picture(page):
    return page.locator(".st-key-chart_sound .figure.js-plotly-plot")


def band(page):
    """The seconds that are marked in all three parts."""
    shape = (
        "document.querySelector('.st-key-chart_sound .figure.js-plotly-plot').layout.shapes.at(-1)"
    )
    return json.loads(page.evaluate(f"JSON.stringify([{shape}.x0, {shape}.x1])"))


def heard(page, what):
    expect(page.get_by_text(re.compile(rf"{what}.*: heard from"))).to_be_visible()
    settled(page)


def test_a_recording_is_made_heard_and_kept(server, new_page):
    page = new_page(permissions=["microphone"])
    page.goto(link(server))
    expect(page.get_by_text("Nothing heard yet")).to_be_visible()
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(2_600)
    page.get_by_role("button", name="Stop recording").click()
    page.wait_for_selector(HEATMAP)
    settled(page)
    expect(page.locator("p.text")).to_contain_text("seven three one")
    page.get_by_role("button", name="Decoding settings").click()
    page.get_by_role("radio", name="Greedy").click()
    settled(page)
    expect(page.locator("p.text")).to_contain_text("seven three one")


def test_token_row_sound_and_slider_select_and_play_a_token(server, new_page):
    page = opened(new_page(), link(server, recording=EXAMPLE))
    page.evaluate(PLAYED)
    slider = page.get_by_role("slider", name="Decoding step")
    played = 0

    def is_played(step):
        nonlocal played
        heard(page, f"Token {step}, ")
        expect(slider).to_have_value(str(step))
        page.wait_for_function(f"window.played.length > {played}", timeout=10_000)
        played = page.evaluate("window.played.length")
        start, end = band(page)
        expect(page.get_by_text(f"heard from {start:.2f} to {end:.2f} s")).to_be_visible()

    tokens(page).nth(8).click()
    is_played(9)
    assert query_of(page)["step"] == "9"
    tokens(page).nth(2).click()
    is_played(3)
    tokens(page).nth(8).click()  # once more, and then the same one
    is_played(9)
    tokens(page).nth(8).click()
    is_played(9)
    slider.press("ArrowRight")
    is_played(10)
    picture(page).scroll_into_view_if_needed()
    box = picture(page).locator(".nsewdrag[data-subplot=xy]").bounding_box()
    middle = box["x"] + box["width"] / 2
    row = box["y"] + box["height"] * 12.5 / 22
    page.mouse.move(middle - 9, row - 2)
    page.mouse.move(middle, row)
    expect(picture(page).locator(".hovertext")).to_contain_text("0.96 to 1.04 s")
    page.mouse.click(middle, row)
    is_played(13)
    settled(page)
    # A chart that is drawn anew stands beside the one before for a moment.
    expect(picture(page).locator(".nsewdrag[data-subplot=xy3]")).to_have_count(1)
    top = picture(page).locator(".nsewdrag[data-subplot=xy3]").bounding_box()
    second = top["x"] + top["width"] * (0.9 / 2.08)
    page.mouse.move(second - 9, top["y"] + 30)
    page.mouse.move(second, top["y"] + 30)
    page.mouse.click(second, top["y"] + 30)
    expect(slider).not_to_have_value("13")
    start, end = band(page)
    assert start <= 0.9 <= end


def test_a_link_restores_what_was_seen(server, new_page):
    query = {
        "recording": EXAMPLE,
        "step": "9",
        "said": "enter for seven nine",
        "heard_words": "true",
    }
    page = opened(new_page(), link(server, **query, path="true"))
    page.evaluate(PLAYED)
    heard(page, "Word 2, four")
    expect(page.get_by_test_id("stMetric").first).to_contain_text("25%")
    expect(page.get_by_role("listitem").filter(has_text="≠")).to_have_text("for≠four")
    assert query_of(page) == {**query, "path": "true"}
    assert not page.evaluate("window.played.length")


def test_the_picture_is_saved_with_its_data(server, new_page):
    page = opened(new_page(), link(server, recording="repeat"))
    page.locator(".st-key-save_sound").get_by_role("button").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("step,token,start,end,0.00,0.04")
    assert len(lines) == 1 + len("␣repeat")
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG", exact=True).click()
    assert "<svg" in Path(download.value.path()).read_text(encoding="utf-8")


@pytest.mark.parametrize(("width", "colours"), [(375, "light"), (1280, "dark")])
def test_accessible_and_inside_the_screen(server, new_page, width, colours):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=colours)
    opened(page, link(server, recording=EXAMPLE, said="enter for nine and ten", path="true"))
    check_accessible(page, width)
