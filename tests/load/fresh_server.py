"""What the first visitor of a fresh server waits for: `python -m tests.load.fresh_server`.

Each round starts an empty Streamlit app, our app, and our app that has warmed up as
`seq2seq serve` has it do; each is opened once, by a browser that has kept nothing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from urllib.parse import urlparse

from seq2seq.hub.health import is_ready
from tests.served import HEATMAP, chromium, served_app

EMPTY = 'import streamlit as st\nst.title("Empty")\n'
WARM = 6.0  # seconds after the first run, in which the thread that warms up has ended
PAGE = "translation?text=Hello+there.&tab=Attention"


def visit(address: str, heading: str, selector: str = "") -> tuple[float, float]:
    """Open an address in a fresh browser; returns seconds to the heading, and to the selector."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        begun = time.perf_counter()
        page.goto(address)
        page.get_by_role("heading", name=heading, exact=True).wait_for()
        painted = time.perf_counter() - begun
        if selector:
            page.wait_for_selector(selector)
        return painted, time.perf_counter() - begun


def warm_up(address: str) -> None:
    """Do what `seq2seq serve` does as soon as the server answers, and wait."""
    assert is_ready(urlparse(address).port or 0, "localhost")
    time.sleep(WARM)


def empty_app(folder: Path) -> tuple[float, float]:
    """Visit a fresh server of an app that shows a heading and nothing else."""
    app = folder / "empty.py"
    app.write_text(EMPTY, encoding="utf-8")
    with served_app(app=app) as address:
        return visit(address, "Empty")


def our_app(prepare: Callable[[str], None] = lambda address: None) -> tuple[float, float]:
    """Visit a fresh server of ours."""
    with served_app() as address:
        prepare(address)
        return visit(f"{address}/{PAGE}", "Translation", HEATMAP)


def main() -> None:
    """Print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        kinds = {
            "an empty Streamlit app": lambda: empty_app(Path(folder)),
            "at once": our_app,
            "warmed up": lambda: our_app(warm_up),
        }
        taken = [{name: visited() for name, visited in kinds.items()} for _ in range(rounds)]
    print("| fresh server | first paint, s | first heatmap, s |\n| --- | --- | --- |")
    for name in kinds:
        painted, drawn = (median(each[name][at] for each in taken) for at in (0, 1))
        print(f"| {name} | {painted:.2f} | {drawn:.2f} |")


if __name__ == "__main__":
    main()
