"""Recordings of many windows in headless Chromium, heard by a tiny Whisper of random weights."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

import seq2seq
from seq2seq.data.audio import RATE
from tests.inference.test_long_form import whisper
from tests.served import HEATMAP, ROOT, link, served_app, settled

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WINDOW = re.compile("Window")
PATIENCE = 240_000  # milliseconds, on a busy machine
CARD = 'title = "Tiny Whisper"\ntask = "speech"\nlicence = "CC0-1.0"\nlanguages = ["en", "en"]\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A Whisper whose window is 30 seconds, in a folder of checkpoints."""
    root = tmp_path_factory.mktemp("heard")
    whisper(root / "made", seconds=30.0, bins=80)
    (root / "checkpoints").mkdir()
    model = (root / "made" / "model").rename(root / "checkpoints" / "tiny-whisper")
    (model / "card.toml").write_text(CARD, encoding="utf-8")
    return model


@pytest.fixture(scope="module")
def listening(folder):
    with served_app(folder.parent) as address:
        yield address


def spoken(path, seconds):
    """Write the recordings of the repository after one another, until a file is this long."""
    parts = [
        soundfile.read(each)[0] for each in sorted((ROOT / "assets/recordings").glob("*.flac"))
    ]
    pause = np.zeros(RATE // 2)
    once = np.concatenate([part for each in parts for part in (each, pause)])
    soundfile.write(path, np.resize(once, seconds * RATE).astype(np.float32), RATE)
    return path


def give(page, address, path):
    """Open the page of speech and upload a recording."""
    page.goto(link(address, "speech", checkpoint="tiny-whisper"))
    page.wait_for_selector(HEATMAP)
    settled(page)
    page.locator("input[type=file]").first.set_input_files(path)


def windows(page):
    """Open the list of windows and return what it offers."""
    page.get_by_role("combobox", name=WINDOW).click()
    offered = page.get_by_role("option").all_inner_texts()
    page.keyboard.press("Escape")
    return offered


def saved(page):
    """Return the transcript that the page lets one download."""
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).first.click()
    return json.loads(Path(download.value.path()).read_text(encoding="utf-8"))


def test_98_seconds_are_heard_to_their_end_as_by_the_library(listening, folder, new_page, tmp_path):
    path, page = spoken(tmp_path / "98.wav", 98), new_page()
    give(page, listening, path)
    expect(page.get_by_text("1:38 of 1:38 heard")).to_be_visible(timeout=PATIENCE)
    page.wait_for_selector(HEATMAP)
    settled(page)
    found, expected = saved(page), seq2seq.transcribe_long(folder, seq2seq.read_audio(path))
    assert found["text"] == expected.text
    assert found["segments"] == json.loads(json.dumps(expected.to_dict()))["segments"]
    assert len(windows(page)) == len(expected.windows) >= 4


def test_10_minutes_can_be_stopped_and_then_heard_to_their_end(listening, new_page, tmp_path):
    path, page = spoken(tmp_path / "600.wav", 600), new_page()
    give(page, listening, path)
    # Three windows of at most 30 seconds: somewhere in the middle.
    expect(page.get_by_text(re.compile(r"\b[1-5]:\d\d of 10:00"))).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("The transcription was stopped.")).to_be_visible(timeout=PATIENCE)
    page.wait_for_selector(HEATMAP)
    settled(page)
    part = saved(page)
    assert 60 <= part["seconds"] < part["total"] == 600
    assert len(windows(page)) == len(part["windows"])
    page.get_by_role("button", name="Transcribe all").click()
    expect(page.get_by_text("10:00 of 10:00 heard")).to_be_visible(timeout=PATIENCE)
    page.wait_for_selector(HEATMAP)
    settled(page)
    whole = saved(page)
    assert whole["seconds"] == whole["total"] == 600
    assert whole["segments"][: len(part["segments"])] == part["segments"] != []
    assert len(windows(page)) == len(whole["windows"]) >= 20
    last = re.compile(rf"^{len(whole['windows'])}: \d:\d\d to 10:00")
    page.get_by_role("combobox", name=WINDOW).click()
    page.get_by_role("option", name=last).click()
    settled(page)
    expect(page.get_by_role("combobox", name=WINDOW)).to_have_value(last)
    expect(page.get_by_text("mean log P of a token")).to_be_visible()
    expect(page.locator(HEATMAP).first).to_be_visible()
