"""Pages as a visitor sees them, by AppTest, without a browser."""

import json
from typing import NamedTuple

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
            found.append(Chart(key, json.loads(data["figure"]), data["described"]))
    return found


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
    return [json.loads(figure.to_json()) for figure in found]
