"""The live picture: a model at work on one run, to be played, stepped through and pointed at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from ui.page import is_dark

_HERE = Path(__file__).parent
_SCRIPTS = ("geometry.js", "drawing.js", "player.js", "controls.js")


def _read(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_LIVE_PICTURE = st.components.v2.component(
    "live_picture", html=_read("picture.html"), css=_read("picture.css"), js=_read(*_SCRIPTS)
)


def live_picture(
    key: str,
    picture: dict[str, Any],
    run: str,
    step: int | None = None,
    word: int | None = None,
    opens: tuple[str, ...] = (),
    autoplay: bool = False,
    on_step: Callable[[int], Any] | None = None,
    on_word: Callable[[int], Any] = int,
    on_open: Callable[[str, int], Any] = lambda name, step: None,
) -> None:
    """Show a picture as seq2seq.figures.architecture describes it.

    run: names the run, so that the same one keeps its place in time. step, word: the chosen output
    and source token, None for none. opens: names of what a step can be opened in. autoplay: it
    plays once when it comes into sight. on_step, on_word, on_open: called with what was chosen;
    without on_step the choice stays in the picture.
    """
    source, target = len(picture["source"]["tokens"]), len(picture["target"]["tokens"])

    def chosen(name: str, count: int, use: Callable[[int], Any]) -> Callable[[], None]:
        def call() -> None:
            number = st.session_state[key][name]
            if isinstance(number, int) and 0 <= number < count:
                use(number)

        return call

    def opened() -> None:
        asked = st.session_state[key].open
        if isinstance(asked, dict) and asked.get("name") in opens:
            at = asked.get("step")
            on_open(asked["name"], at if isinstance(at, int) and 0 <= at < target else 0)

    _LIVE_PICTURE(
        key=key,
        data={
            "picture": picture,
            "run": run,
            "step": step,
            "word": word,
            "opens": list(opens),
            "autoplay": autoplay,
            "shares": on_step is not None,
            "dark": is_dark(),
        },
        on_step_change=chosen("step", target, on_step or int),
        on_word_change=chosen("word", source, on_word),
        on_open_change=opened,
    )
