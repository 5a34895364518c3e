"""Experiments, which take seconds: one at a time for all visitors, kept for all of them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq.errors import UserError
from ui.escape import plain
from ui.runtime.model_store import models

if TYPE_CHECKING:
    from seq2seq.experiments.result import OnPart, Result

KEPT = 100
BETWEEN = 0.1  # seconds between two looks at the page


class _Experiments:
    def __init__(self) -> None:
        self.kept: OrderedDict[Hashable, Result] = OrderedDict()
        self.lock = threading.Lock()
        self.turn = threading.Lock()

    def get(self, key: Hashable) -> Result | None:
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def put(self, key: Hashable, result: Result) -> None:
        with self.lock:
            self.kept[key] = result
            while len(self.kept) > KEPT:
                self.kept.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _experiments() -> _Experiments:
    return _Experiments()


def measured(name: str, seed: int, settings: dict[str, Any]) -> Result | None:
    """Return what was measured before, None if nothing was."""
    return _experiments().get(_key(name, seed, settings))


def measure(
    name: str, seed: int, settings: dict[str, Any], show: Callable[[float, str], object]
) -> Result | None:
    """Run an experiment, or take its result from the cache; says why if it cannot be run.

    show: gets the share that is done and a text, and ends the run by raising, as Streamlit does
    when the visitor has done something else.
    """
    from seq2seq.experiments.registry import run_experiment

    experiments, key = _experiments(), _key(name, seed, settings)
    while not experiments.turn.acquire(timeout=0.2):
        show(0.0, "Waiting for another visitor's experiment")
    try:
        result = experiments.get(key)
        if result is None:
            result = run_experiment(name, models().get, _paced(show), seed, **settings)
            experiments.put(key, result)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    finally:
        experiments.turn.release()
    return result


def _key(name: str, seed: int, settings: dict[str, Any]) -> Hashable:
    return name, seed, tuple(sorted(settings.items()))


def _paced(show: Callable[[float, str], object]) -> OnPart:
    """Show the progress, a few times a second at most."""
    shown = [0.0]

    def on_part(done: int, total: int) -> None:
        if time.monotonic() - shown[0] >= BETWEEN:
            shown[0] = time.monotonic()
            show(min(1.0, done / max(1, total)), f"{done} of {total}")

    return on_part
