"""The live picture: a model at work on one run, to be played, stepped through and pointed at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from ui.page import is_dark

_HERE = Path(__file__).parent
_SCRIPTS = (
    *("geometry", "style", "drawing", "painting"),
    *("player", "beam", "minimap", "story", "saving", "controls"),
)


def _read(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_CODE, _STYLE, _MARKUP = (
    _read(*(f"{name}.js" for name in _SCRIPTS)),
    _read("picture.css"),
    _read("picture.html"),
)
_LIVE_PICTURE = st.components.v2.component("live_picture", html=_MARKUP, css=_STYLE, js=_CODE)


@dataclass(frozen=True)
class Ties:
    """What ties a picture to its page: what is chosen there, and what happens to a choice in it.

    step, word: the chosen output and source token, None for none. opens: names of what parts can be
    opened in, by kinds of parts. on_step, on_word, on_open: called with what was chosen; without
    on_step the choice stays in the picture.
    """

    step: int | None = None
    word: int | None = None
    opens: Mapping[str, str] = field(default_factory=dict)
    on_step: Callable[[int], Any] | None = None
    on_word: Callable[[int], Any] = int
    on_open: Callable[[str, int], Any] = lambda name, step: None


ALONE = Ties()


def live_picture(
    key: str,
    picture: dict[str, Any],
    run: str,
    ties: Ties = ALONE,
    autoplay: bool = False,
    explains: bool = False,
) -> None:
    """Show a picture as seq2seq.figures.architecture describes it.

    run: names the run, so that the same one keeps its place in time. autoplay: it plays once when
    it comes into sight. explains: it says in plain words what each part does.
    """
    source, target = len(picture["source"]["tokens"]), len(picture["target"]["tokens"])
    settings = {"run": run, "autoplay": autoplay, "explains": explains, "dark": is_dark()}
    _LIVE_PICTURE(
        key=key,
        data={"picture": picture, **settings, **_chosen(ties)},
        on_step_change=_use_number(key, "step", target, ties.on_step or int),
        on_word_change=_use_number(key, "word", source, ties.on_word),
        on_open_change=_open(key, ties, target),
    )


def _chosen(ties: Ties) -> dict[str, Any]:
    shares = ties.on_step is not None
    return {"step": ties.step, "word": ties.word, "opens": dict(ties.opens), "shares": shares}


def _use_number(key: str, name: str, count: int, use: Callable[[int], Any]) -> Callable[[], None]:
    """Return what hands on a number that was chosen, if there are so many."""

    def call() -> None:
        number = st.session_state[key][name]
        if isinstance(number, int) and 0 <= number < count:
            use(number)

    return call


def _open(key: str, ties: Ties, target: int) -> Callable[[], None]:
    """Return what hands on which part is to be opened, and at which step."""

    def call() -> None:
        asked = st.session_state[key].open
        if isinstance(asked, dict) and asked.get("name") in ties.opens.values():
            at = asked.get("step")
            ties.on_open(asked["name"], at if isinstance(at, int) and 0 <= at < target else 0)

    return call


def live_page(picture: dict[str, Any], source: str, output: str) -> str:
    """Return a page of HTML in which the picture plays, without a network and without this app.

    source, output: the texts of the run, which stand above it.
    """
    settings = {"run": "", "autoplay": True, "explains": True, **_chosen(ALONE)}
    # No text can end the script that holds it.
    held = json.dumps({"picture": picture, **settings}, ensure_ascii=False).replace("<", "\\u003c")
    return _PAGE.format(
        title=escape(picture["title"]),
        text=escape(f"{source} → {output}" if source else output),
        style=_read("page.css") + _STYLE,
        markup=_MARKUP,
        data=held,
        code=_CODE.replace("export default mount;", ""),
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p class="text">{text}</p>
{markup}
</main>
<script type="application/json" id="data">{data}</script>
<script type="module">
{code}
const scheme = window.matchMedia("(prefers-color-scheme: dark)");
const data = JSON.parse(document.querySelector("#data").textContent);
const show = () => mount({{
  data: {{ ...data, dark: scheme.matches }}, parentElement: document.body, setTriggerValue() {{}},
}});
scheme.onchange = show;
show();
</script>
</body>
</html>
"""
