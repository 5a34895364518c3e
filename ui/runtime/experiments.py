"""Experiments, which take seconds: one at a time for all visitors, kept for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq.errors import UserError
from ui.escape import plain
from ui.runtime.admission import FullError, admission, refusal
from ui.runtime.model_store import models
from ui.runtime.runs import Runs

if TYPE_CHECKING:
    from seq2seq.experiments.result import OnPart, Partial, Result

    Show = Callable[[float, str, Partial | None], object]

BETWEEN = 0.1  # seconds between two looks at the page


@st.cache_resource(show_spinner=False)
def _experiments() -> Runs:
    return Runs()


def measured(name: str, seed: int, settings: dict[str, Any]) -> Result | None:
    """Return what was measured before, None if nothing was."""
    found: Result | None = _experiments().get(_key(name, seed, settings))
    return found


def measure(name: str, seed: int, settings: dict[str, Any], show: Show) -> Result | None:
    """Run an experiment, or take its result from the cache; says why if it cannot be run.

    show: gets the share that is done, a text, and what is known by then, if anything; it ends the
    run by raising, as Streamlit does when the visitor has done something else.
    """
    from seq2seq.experiments.registry import run_experiment

    def on_wait(place: int, seconds: float) -> None:
        text = f"Place {place} in the queue, for about {seconds:.0f} s"
        show(0.0, text, None)

    try:
        with admission().long_job(on_wait):
            # Another visitor may have asked for the same in the meantime.
            found = measured(name, seed, settings)
            if found is None:
                found = run_experiment(name, models().get, _paced(show), seed, **settings)
                _experiments().put(_key(name, seed, settings), found)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    except FullError as full:
        st.warning(refusal(full), icon=":material/hourglass_disabled:")
        return None
    return found


def _key(name: str, seed: int, settings: dict[str, Any]) -> Hashable:
    return name, seed, tuple(sorted(settings.items()))


def _paced(show: Show) -> OnPart:
    """Show the progress, a few times a second at most."""
    shown = 0.0

    def on_part(done: int, total: int, partial: Partial | None = None, /) -> None:
        nonlocal shown
        if time.monotonic() - shown >= BETWEEN:
            shown = time.monotonic()
            show(min(1.0, done / max(1, total)), f"{done} of {total}", partial)

    return on_part
