"""Firefox, driven over WebDriver BiDi (w3.org/TR/webdriver-bidi), for what Chromium cannot tell."""

import base64
import json
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from websockets.sync.client import connect

FIREFOX = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
# The first number of seconds is Firefox's first start with a new profile.
START, ANSWER = 60, 60
LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
# Looks into components too, which have style sheets and trees of their own.
FOUND = """const found = (selector, root = document) => [
  ...root.querySelectorAll(selector),
  ...[...root.querySelectorAll("*")].flatMap(
    ({ shadowRoot }) => (shadowRoot ? found(selector, shadowRoot) : []),
  ),
];"""
MIDDLE = """(element) => {
  element.scrollIntoView({ block: "center" });
  const { x, y, width, height } = element.getBoundingClientRect();
  return `${x + width / 2} ${y + height / 2}`;
}"""
RETURN = "\ue006"  # w3.org/TR/webdriver, section 17.4.2


@contextmanager
def firefox(profile, width=1280, height=900):
    """Start Firefox without a window, with an empty profile in a folder; gives its one page."""
    command = [FIREFOX, "--headless", "--remote-debugging-port", "0", "--profile", str(profile)]
    size = [f"--width={width}", f"--height={height}"]
    log = Path(profile) / "firefox.log"
    with (
        log.open("w", encoding="utf-8") as written,
        subprocess.Popen([*command, *size], stdout=written, stderr=subprocess.STDOUT) as process,
    ):
        try:
            with connect(f"{_address(log)}/session", max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()


def _address(log):
    ends = time.monotonic() + START
    while time.monotonic() < ends:
        if found := LISTENING.search(log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.1)
    raise TimeoutError(log.read_text(encoding="utf-8"))


class Page:
    """A browser's first tab. complaints: the errors that its console and its scripts gave."""

    def __init__(self, socket):
        self.socket, self.sent, self.complaints = socket, 0, []
        self._call("session.new", capabilities={})
        self.context = self._call("browsingContext.getTree")["contexts"][0]["context"]
        self._call("session.subscribe", events=["log.entryAdded"])

    def open(self, address):
        self._call("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def evaluate(self, expression):
        """Return what JavaScript gives: null, a number, a truth value or a text.

        found(selector) gives the list of all elements, those inside of components too.
        """
        target = {"context": self.context}
        called = f"(() => {{ {FOUND} return ({expression}); }})()"
        options = {"target": target, "awaitPromise": True, "expression": called}
        answer = self._call("script.evaluate", **options)
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def wait_for(self, expression):
        """Wait until an expression is true in JavaScript; returns its value."""
        ends = time.monotonic() + ANSWER
        while time.monotonic() < ends:
            if value := self.evaluate(expression):
                return value
            time.sleep(0.1)
        raise TimeoutError(expression)

    def press(self, keys):
        """Press the keys of a text, one after the other, in what has the focus."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self._call("input.performActions", context=self.context, actions=[source])

    def click(self, selector):
        """Click in the middle of the first element that a CSS selector finds."""
        middle = self.evaluate(f"({MIDDLE})(found({selector!r})[0])")
        x, y = (round(float(number)) for number in middle.split())
        moved = {"type": "pointerMove", "x": x, "y": y}
        pressed = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        source = {"type": "pointer", "id": "mouse", "actions": [moved, *pressed]}
        self._call("input.performActions", context=self.context, actions=[source])

    def screenshot(self):
        """Return what is seen, as PNG."""
        answer = self._call("browsingContext.captureScreenshot", context=self.context)
        return base64.b64decode(answer["data"])

    def _call(self, method, **parameters):
        self.sent += 1
        self.socket.send(json.dumps({"id": self.sent, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=ANSWER))
            if message.get("id") == self.sent:
                break
            self._note(message)
        if message["type"] == "error":
            raise RuntimeError(f"{method}: {message['message']}")
        return message["result"]

    def _note(self, message):
        if message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
            self.complaints.append(message["params"]["text"])
