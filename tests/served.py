"""The real app on a free port and the browser that looks at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlparse

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, TimeoutError, expect, sync_playwright

from seq2seq.cli.serve import ARENAS

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
WITH_INSTRUMENTS = ("translation", "summarization", "chatbot", "speech", "pronunciation")
LIVE = ".live rect.lane"  # of the live picture
FIGURE = ".figure.js-plotly-plot"
# Counts how often the server began to answer.
COUNT_RUNS = """
window.runs = 0;
new MutationObserver((changes) => {
  window.runs += changes.filter(({ oldValue }) => oldValue === "notRunning").length;
}).observe(document, {
  subtree: true, attributeFilter: ["data-test-script-state"], attributeOldValue: true,
});"""
HEATMAP = f"{FIGURE} .heatmaplayer"
# Resolves once an element has been in the same place for three frames.
STILL = """(element) => new Promise((resolve) => {
  let before = "", same = 0;
  const look = () => {
    const { x, y, width, height } = element.getBoundingClientRect();
    const now = [x, y, width, height].join();
    same = now === before ? same + 1 : 0;
    before = now;
    same >= 3 || !element.isConnected ? resolve() : requestAnimationFrame(look);
  };
  look();
})"""


@contextmanager
def served_app(checkpoints=None, app="app.py", **environment):
    """Start a fresh server as `seq2seq serve` does, that nobody has visited yet; gives its address.

    checkpoints: a folder of them, in place of the repository's own. app: the script. environment:
    more variables for it, None for one that it must not have.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if checkpoints:
        environment["SEQ2SEQ_CHECKPOINTS"] = str(checkpoints)
    values = {
        name: value
        for name, value in (ARENAS | os.environ | environment).items()
        if value is not None
    }
    where = ["--server.address", "localhost", "--server.port", str(port)]
    command = [sys.executable, "-m", "streamlit", "run", str(app), *where]
    address = f"http://localhost:{port}"
    with subprocess.Popen(
        command, cwd=ROOT, env=values, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
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


class Pages:
    """Pages of one browser that are opened once and used again: code in the cache starts faster.

    complaints: what their consoles said since `restart`.
    """

    def __init__(self, browser):
        self.context = browser.new_context()
        self.context.set_default_timeout(60_000)
        self.context.add_init_script(COUNT_RUNS)
        allowed = ["clipboard-read", "clipboard-write", "microphone"]
        self.context.grant_permissions(allowed)
        self.free, self.used, self.complaints = [], [], []

    def restart(self):
        """Take all pages back; what a visitor left in them is forgotten.

        They show nothing then: one whose server ends would complain in the middle of another test.
        """
        for page in self.used:
            page.evaluate("try { localStorage.clear(); } catch { /* a page without an address */ }")
            page.goto("about:blank")
        self.free, self.used, self.complaints = self.used + self.free, [], []

    def open(self, width=1280, height=900, colours="light"):
        """Give a page that this test does not have yet."""
        page = self.free.pop(0) if self.free else self._create()
        self.used.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=colours)
        page.bring_to_front()  # only the page in front may fill the screen
        page.mouse.move(0, 0)
        return page

    def _create(self):
        page = self.context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _note(self, message):
        # Streamlit looks for its server below the page's address first; late pings are repeated.
        known = "/_stcore/" in message.location.get("url", "") + message.text
        if message.type == "error" and not known:
            self.complaints.append(f"{message.text} {message.location}")


def link(server, page="translation", **query):
    """Return the address of a page with values for its controls.

    Of a page with instruments the tab Attention is open, unless another is named; of a recording,
    the first one, below which the sound is.
    """
    if page in WITH_INSTRUMENTS and page != "speech":
        query = {"tab": "Attention", **query}
    return f"{server}/{page}?{urlencode(query, doseq=True)}"


def query_of(page):
    """Return the values in a page's address, of each name the last one."""
    return dict(parse_qsl(urlparse(page.url).query))


def queries_of(page):
    """Return the values in a page's address, of each name all."""
    return parse_qs(urlparse(page.url).query)


def opened(page, address, shown=HEATMAP):
    """Open an address, until the server has answered and what shall be shown is there."""
    page.goto(address)
    page.wait_for_selector(shown)
    settled(page)
    return page


def settled(page):
    """Wait until the server has answered what the visitor did last."""
    page.wait_for_timeout(50)  # what was done has been sent by then
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=30_000)


def answered(page, action):
    """Do something, until the server has begun and ended to answer it.

    Nothing is waited for long if there is nothing to answer, as of a slider that is at its end.
    """
    runs = page.evaluate("window.runs")
    action()
    with suppress(TimeoutError):
        page.wait_for_function("(runs) => window.runs > runs", arg=runs, timeout=2_000)
    settled(page)


def still(chart):
    """Wait until a chart is in sight and stays where it is; returns its box."""
    chart.scroll_into_view_if_needed()
    chart.evaluate(STILL)
    return chart.bounding_box()


def hit(page, place, hovered, done):
    """Click where the hover is, as a person does, and once more if the chart was redrawn.

    place: returns the point. hovered: what stands beside the mouse then. done: waits, for so many
    milliseconds, for what the click does.
    """
    for _ in range(6):
        with suppress(AssertionError, Error):
            x, y = place()
            page.mouse.move(x - 4, y - 4)
            page.mouse.move(x, y)
            expect(page.locator(".hovertext").first).to_contain_text(hovered, timeout=2_000)
            page.mouse.click(x, y)
            done(4_000)
            return
    done(1_000)


def check_accessible(page):
    """Require that a page has no fault that axe knows, and nothing beyond the screen.

    A chart may be wider than what scrolls it.
    """
    width = page.viewport_size["width"]
    found = Axe().run(page, options=WCAG)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for chart in page.locator(".figure.js-plotly-plot").all():
        if not chart.evaluate("(chart) => chart.closest('[role=region]')"):
            assert chart.bounding_box()["x"] + chart.bounding_box()["width"] <= width
