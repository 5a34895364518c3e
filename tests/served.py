"""The real app on a free port and the browser that looks at it."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
# Longer than on an idle machine.
expect.set_options(timeout=20_000)
HEATMAP = ".figure.js-plotly-plot .heatmaplayer"


# Runs Streamlit's command line with checkpoints of another folder, which is the first argument.
ELSEWHERE = """
import sys
from pathlib import Path
from seq2seq import catalogue
from streamlit.web.cli import main
catalogue.CHECKPOINTS = Path(sys.argv.pop(1))
main()
"""


@contextmanager
def served_app(checkpoints=None):
    """Start a fresh server that nobody has visited yet; gives its address.

    checkpoints: a folder of them, in place of the repository's own.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = ["-c", ELSEWHERE, str(checkpoints)] if checkpoints else ["-m", "streamlit"]
    where = ["--server.address", "localhost", "--server.port", str(port)]
    command = [sys.executable, *start, "run", "app.py", *where]
    address = f"http://localhost:{port}"
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait_for(f"{address}/_stcore/health")
            yield address
        finally:
            process.terminate()


def _wait_for(address):
    for _ in range(300):
        try:
            urllib.request.urlopen(address, timeout=1)
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(address)


@contextmanager
def chromium(*flags):
    """Start the Chromium that is on the PATH, with more flags than the usual ones."""
    path = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, *flags])
        yield browser
        browser.close()


def opened(page, address):
    page.goto(address)
    page.wait_for_selector(HEATMAP)
    settled(page)
    return page


def settled(page):
    """Wait until the server has answered what the visitor did last."""
    page.wait_for_timeout(50)  # what was done has been sent by then
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=30_000)


def check_accessible(page, width):
    """Require that a page has no fault that axe knows, and nothing beyond the screen.

    A chart may be wider than what scrolls it.
    """
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for chart in page.locator(".figure.js-plotly-plot").all():
        if not chart.evaluate("(chart) => chart.closest('[role=region]')"):
            assert chart.bounding_box()["x"] + chart.bounding_box()["width"] <= width
