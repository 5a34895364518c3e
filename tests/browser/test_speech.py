"""The speech page in headless Chromium, with a microphone that plays a file."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from tests.served import FIGURE, HEATMAP, hit, link, opened, query_of, settled, still

pytestmark = pytest.mark.browser

EXAMPLE = "enter four seven nine"
PLAYED = """() => {
  window.played = [];
  document.addEventListener("playing", (event) => window.played.push(event.target.src), true);
}"""
PICTURE = f".st-key-chart_sound {FIGURE}"
# The seconds that are marked in all three parts.
BAND = "(chart) => [chart.layout.shapes.at(-1).x0, chart.layout.shapes.at(-1).x1]"
MARKED = """([selector, start, end]) => {
  const band = document.querySelector(selector)?.layout?.shapes?.at(-1);
  return band && Math.abs(band.x0 - start) < 0.0051 && Math.abs(band.x1 - end) < 0.0051;
}"""
# Where a second is, in pixels from the left of the screen; and how many there are.
PIXEL = """(chart, second) => chart.getBoundingClientRect().x + chart._fullLayout.xaxis._offset
  + chart._fullLayout.xaxis.d2p(second)"""
LENGTH = "(chart) => chart._fullLayout.xaxis.range[1]"


def tokens(page):
    return page.get_by_role("group", name="Output tokens").get_by_role("button")


def picture(page):
    return page.locator(PICTURE)


def output(page):
    return page.locator(".st-key-output_bar [data-testid=stMarkdown]").first


def heard(page, what):
    expect(page.get_by_text(re.compile(rf"{what}.*: [0-9.]+ to [0-9.]+ s"))).to_be_visible()
    settled(page)


def test_a_recording_is_made_heard_and_kept(server, new_page):
    page = new_page()
    page.goto(link(server, "speech"))
    page.wait_for_selector(HEATMAP)
    settled(page)
    example = picture(page).evaluate(LENGTH)
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_test_id("stAudioInputWaveformTimeCode")).to_have_text("00:02")
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_role("radio", name="recording", exact=True)).to_be_checked()
    page.wait_for_function(
        """([selector, before]) => {
          const range = document.querySelector(selector)?._fullLayout?.xaxis?.range;
          return range && range[1] !== before;
        }""",
        arg=[PICTURE, example],
    )
    settled(page)
    expect(output(page)).not_to_be_empty()
    seconds = picture(page).evaluate(LENGTH)
    assert 1.5 < seconds < 20
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("radio", name="Greedy").click()
    page.wait_for_url("**method=*")
    settled(page)
    expect(output(page)).not_to_be_empty()
    assert picture(page).evaluate(LENGTH) == seconds


@pytest.mark.slow
def test_a_file_is_heard_and_what_is_no_recording_is_said(server, new_page, tmp_path):
    page = new_page()
    page.goto(link(server, "speech"))
    page.get_by_text("seven three one zero").click()
    page.wait_for_selector(HEATMAP)
    settled(page)
    before = output(page).inner_text()
    expect(page.locator(FIGURE).first).to_contain_text("seconds")
    assert query_of(page)["recording"] == "seven three one zero"
    tone, text = tmp_path / "tone.wav", tmp_path / "text.wav"
    soundfile.write(tone, 0.1 * np.sin(np.arange(16_000) / 5).astype(np.float32), 16_000)
    page.locator("input[type=file]").first.set_input_files(tone)
    expect(output(page)).not_to_have_text(before, timeout=30_000)
    text.write_text("This is no sound.")
    page.locator("input[type=file]").first.set_input_files(text)
    expect(page.get_by_text("text.wav cannot be read")).to_be_visible(timeout=30_000)


@pytest.mark.slow
def test_token_row_sound_and_slider_select_and_play_a_token(server, new_page):
    page = opened(new_page(), link(server, "speech", recording=EXAMPLE))
    page.evaluate(PLAYED)
    slider = page.get_by_role("slider", name="Decoding step")
    played = 0

    def is_played(step):
        nonlocal played
        heard(page, f"Token {step}, ")
        expect(slider).to_have_value(str(step))
        page.wait_for_function(f"window.played.length > {played}", timeout=10_000)
        played = page.evaluate("window.played.length")
        sentence = page.get_by_text(re.compile(rf"Token {step}, .*: [0-9.]+ to [0-9.]+ s"))
        seconds = re.search(r"([0-9.]+) to ([0-9.]+) s", sentence.inner_text())
        page.wait_for_function(MARKED, arg=[PICTURE, *map(float, seconds.groups())])
        return picture(page).evaluate(BAND)

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
    _, end = is_played(10)
    count = int(slider.get_attribute("max")) - 1  # the end has no row

    def row():
        box = still(picture(page).locator(".nsewdrag[data-subplot=xy]"))
        return box["x"] + box["width"] / 2, box["y"] + box["height"] * 12.5 / count

    def chosen(limit):
        expect(slider).to_have_value("13", timeout=limit)

    hit(page, row, re.compile(r"\d\.\d\d to \d\.\d\d s"), chosen)
    is_played(13)
    # A chart that is drawn anew stands beside the one before for a moment.
    expect(picture(page).locator(".nsewdrag[data-subplot=xy3]")).to_have_count(1)
    top = still(picture(page).locator(".nsewdrag[data-subplot=xy3]"))
    x = picture(page).evaluate(PIXEL, end - 0.01)
    page.mouse.move(x - 9, top["y"] + 30)
    page.mouse.move(x, top["y"] + 30)
    page.mouse.click(x, top["y"] + 30)
    expect(slider).not_to_have_value("13")
    settled(page)
    start, after = picture(page).evaluate(BAND)
    assert start <= end <= after + 0.01


@pytest.mark.slow
def test_a_link_restores_what_was_seen(server, new_page):
    page = opened(new_page(), link(server, "speech", recording=EXAMPLE))
    written = output(page).inner_text().split()
    second = len(written[0]) + 2  # the step of its first letter: a space stands before each word
    said = " ".join([written[0], "zzz", *written[2:]])
    query = {
        "recording": EXAMPLE,
        "step": str(second + 1),
        "said": said,
        "heard_words": "true",
        "path": "true",
    }
    opened(page, link(server, "speech", **query))
    page.evaluate(PLAYED)
    heard(page, f"Word 2, {written[1]}")
    expect(page.get_by_test_id("stMetric").first).to_contain_text(f"{1 / len(written):.0%}")
    expect(page.get_by_role("listitem").filter(has_text="≠")).to_have_text(f"zzz≠{written[1]}")
    assert query_of(page) == query
    assert not page.evaluate("window.played.length")


@pytest.mark.slow
def test_the_picture_is_saved_with_its_data(server, new_page):
    page = opened(new_page(), link(server, "speech", recording="repeat"))
    page.locator(".st-key-save_sound").get_by_role("button").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    lines = list(
        csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8").splitlines())
    )
    assert list(lines[0])[:5] == ["step", "token", "start", "end", "0.00"]
    saved = "".join(line["token"] for line in lines).replace("␣", " ").replace("·", "").strip()
    assert saved == output(page).inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="SVG", exact=True).click()
    assert "<svg" in Path(download.value.path()).read_text(encoding="utf-8")
