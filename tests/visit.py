"""Pages as a visitor sees them, by AppTest, without a browser."""

import json

import plotly.graph_objects as go
from streamlit.testing.v1 import AppTest

from ui.chart import drawn_once

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


def charts(at):
    """Return the pictures of a page."""
    return at.get("plotly_chart")


def pictures(at):
    """Return the figures of a page as they are drawn."""
    return [seen(chart.proto.spec) for chart in charts(at)]


def drawn_by(code, monkeypatch):
    """Run the shown lines; returns what they draw, as a page would draw it."""
    found = []
    monkeypatch.setattr(go.Figure, "show", lambda figure: found.append(drawn_once(figure, True)))
    exec(compile(code, "shown", "exec"), {})
    return [seen(each.to_json()) for each in found]


def seen(text):
    """Read a figure, without what tells Streamlit where it may be clicked."""
    made = json.loads(text)
    for name in ("clickmode", "dragmode", "datarevision"):
        made["layout"].pop(name, None)
    return made
