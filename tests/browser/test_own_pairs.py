"""A table of one's own, scored in headless Chromium."""

import csv
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from seq2seq import load
from seq2seq.evaluation.own_pairs import read_own_pairs, score_pairs
from tests.served import LIVE, link, query_of, served_app, settled, still

pytestmark = pytest.mark.browser

ROWS = [
    "The cat sleeps.\tLe chat dort.",
    "no tab",
    "Where is the dog?\tOù est le chien ?",
    "\tNous mangeons.",
    "We are eating.\tNous mangeons.",
    "one\ttwo\tthree",
]


@pytest.fixture(scope="module")
def few(checkpoint_root):
    """A server with models whose names lie in no other's."""
    with served_app(checkpoint_root) as address:
        yield address


def saved(page, name):
    """Return the text of a file that the page lets one download."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return Path(download.value.path()).read_text(encoding="utf-8")


def choose_three(page):
    """Choose the first three models that are offered."""
    box = page.get_by_role("combobox", name=re.compile("Models, at most 3"))
    box.click()
    for _ in range(3):
        box.press("ArrowDown")
        box.press("Enter")
        settled(page)
    box.press("Tab")


@pytest.mark.slow
def test_a_table_is_scored_by_three_models_and_a_row_opens(
    few, new_page, checkpoint_root, tmp_path
):
    table, page = tmp_path / "own.tsv", new_page()
    table.write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    page.goto(link(few, "benchmarks"))
    settled(page)
    page.locator("input[type=file]").set_input_files(table)
    left = "Left out: Line 2 has no tab. Line 4 has no source. Line 6 has 3 columns, not 2."
    expect(page.get_by_text(left)).to_be_visible()
    choose_three(page)
    page.get_by_role("button", name="Score 3 pairs").click()
    expect(page.get_by_role("button", name="CSV", exact=True)).to_be_visible(timeout=120_000)
    settled(page)
    found = json.loads(saved(page, "JSON"))
    names = [model["checkpoint"] for model in found["models"]]
    assert len(set(names)) == len(found["differences"]) == 3
    expect(page.get_by_text(re.compile("better in .* of draws"))).to_have_count(3)
    pairs, _ = read_own_pairs(table.read_bytes())
    expected = [score_pairs(load(checkpoint_root / name), pairs) for name in names]
    rows = list(csv.DictReader(saved(page, "CSV").splitlines()))
    assert [(row["checkpoint"], int(row["line"]), row["output"]) for row in rows] == [
        (model.checkpoint, each.line, each.output) for model in expected for each in model.sentences
    ]
    for model, own in zip(found["models"], expected, strict=True):
        assert (model["scores"]["chrf"], model["scores"]["loss"]) == (
            own.scores["chrf"],
            own.scores["loss"],
        )
    second = expected[0].worst_first[1]
    box = still(page.get_by_test_id("stDataFrame").last)
    page.mouse.click(box["x"] + 17, box["y"] + 36 + 35 * 1.5)
    page.get_by_role("link", name=f"Open line {second.line} in Translation").click()
    page.wait_for_selector(LIVE)
    settled(page)
    query = query_of(page)
    assert (query["checkpoint"], query["text"]) == (names[0], second.source)
