"""Pages as a visitor sees them, by AppTest, without a browser."""

import base64
import json
import math
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from streamlit.testing.v1 import AppTest

SENTENCE = "The old dog sleeps in the garden."


def visit(page, **query):
    """Open a page by a link, by the name of its file and with the values in the address."""
    at = AppTest.from_file(f"../pages/{page}.py", default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return at.run()


def visit_by_menu(page):
    """Open a page by a click in the menu."""
    at = AppTest.from_file("../app.py", default_timeout=60).run()
    return at.switch_page(f"pages/{page}.py").run()


def messages(at):
    """Return what the page says is wrong, missing or worth knowing."""
    return [element.value for kind in (at.error, at.warning, at.info) for element in kind]


class Chart(NamedTuple):
    """A picture of a page: its key, its figure, and what it says to those who do not see it."""

    key: str
    figure: dict
    alt: str


def charts(at):
    """Return the pictures of a page."""
    found = []
    for each in at.get("bidi_component"):
        if each.proto.component_name == "plot":
            data = json.loads(each.proto.json)
            key = each.proto.id.rsplit("-chart_", 1)[-1]
            found.append(Chart(key, _checked(json.loads(data["figure"])), data["described"]))
    return found


def _checked(figure):
    """Return a figure as the Plotly library writes it, which refuses what Plotly does not know."""
    drawn = go.Figure(figure["data"], {"template": "none", **figure["layout"]})
    return _as_lists(json.loads(drawn.to_json()))


def _as_lists(value):
    """Return a figure with lists in place of arrays, numbers as float32 has them."""
    if isinstance(value, dict) and "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
        shape = [int(size) for size in str(value.get("shape", len(array))).split(",")]
        return _as_lists(array.reshape(shape).tolist())
    if isinstance(value, dict):
        return {key: _as_lists(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_lists(each) for each in value]
    if isinstance(value, float):
        return None if math.isnan(value) else float(np.float32(value))
    return value


def live_pictures(at):
    """Return what the live pictures of a page were given."""
    found = [
        each for each in at.get("bidi_component") if each.proto.component_name == "live_picture"
    ]
    return [json.loads(each.proto.json) for each in found]


def drawn_by(code, monkeypatch):
    """Run the shown lines; returns the figures that they draw."""
    found = []
    monkeypatch.setattr(go.Figure, "show", lambda figure: found.append(figure))
    exec(compile(code, "shown", "exec"), {})
    return [_as_lists(json.loads(figure.to_json())) for figure in found]
