"""Loading and running, cached for all visitors; computes a few runs at a time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq.errors import UserError
from seq2seq.options import Options
from seq2seq.trace import Trace
from ui.controls import checkpoints_for, plain, quoted

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.search import Progress

MODELS_KEPT = 3
RUNS_KEPT = 64
RUNS_AT_ONCE = 2
PATIENCE = 0.4  # seconds a run may take before it shows its progress

Key = tuple[str, str, Options]  # checkpoint, text, options


class _Runs:
    """The models and the last runs of all visitors, and the right to compute."""

    def __init__(self) -> None:
        self.models: OrderedDict[str, Checkpoint] = OrderedDict()
        self.kept: OrderedDict[Key, Trace] = OrderedDict()
        self.loading = threading.Lock()
        self.lock = threading.Lock()
        self.turns = threading.BoundedSemaphore(RUNS_AT_ONCE)

    def model(self, name: str) -> Checkpoint:
        """Return a checkpoint, loaded once however many ask for it at the same time."""
        import torch

        from seq2seq.checkpoint import load

        torch.set_num_threads(1)  # small tensors: a second thread costs more than it gives
        with self.loading:
            if name not in self.models:
                self.models[name] = load(name)
            self.models.move_to_end(name)
            while len(self.models) > MODELS_KEPT:
                self.models.popitem(last=False)
            return self.models[name]

    def get(self, key: Key) -> Trace | None:
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def put(self, key: Key, trace: Trace) -> None:
        with self.lock:
            self.kept[key] = trace
            while len(self.kept) > RUNS_KEPT:
                self.kept.popitem(last=False)

    @contextmanager
    def turn(self, wait: Callable[[], Any]) -> Iterator[None]:
        """Hold one of the few turns; calls `wait` while there is none."""
        while not self.turns.acquire(timeout=0.2):
            wait()
        try:
            yield
        finally:
            self.turns.release()


@st.cache_resource(show_spinner=False)
def _runs() -> _Runs:
    return _Runs()


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Load what the first run needs in the background, once for the whole server.

    The thread knows nothing of the visitor who started it, so it does not end with that visit.
    """
    runs, names = _runs(), checkpoints_for("translation")[:1]

    def work() -> None:
        import seq2seq.figures  # noqa: F401
        from seq2seq.pipeline import run as decode

        for name in names:
            with suppress(UserError):  # whoever opens a page is told what is wrong
                decode(runs.model(name), "Hello.")

    threading.Thread(target=work, daemon=True).start()


def run(name: str, text: str, options: Options | None = None) -> Trace | None:
    """Decode a text, or take the run from the cache; says why where it cannot, and returns None."""
    runs, key = _runs(), (name, text, options or Options())
    trace = runs.get(key)
    if trace is None:
        place = st.empty()
        try:
            trace = _compute(runs, key, place)
        except UserError as error:
            place.error(plain(str(error)), icon=":material/error:")
            return None
        place.empty()
        runs.put(key, trace)
    _show_notes(trace)
    return trace


def reopen(saved: bytes) -> Trace | None:
    """Read a saved run, which needs no model; says why where it cannot, and returns None."""
    try:
        trace = Trace.from_json(saved)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    st.info(
        f"A saved run of {quoted(trace.checkpoint)} on {quoted(trace.source.text[:300])}. "
        "Remove the file to see your own text again.",
        icon=":material/history:",
    )
    _show_notes(trace)
    return trace


def _show_notes(trace: Trace) -> None:
    for note in trace.notes:
        st.info(plain(note), icon=":material/info:")


def _compute(runs: _Runs, key: Key, place: Any) -> Trace:
    name, text, options = key
    with place, st.spinner("Loading the model: a few seconds, once."):
        from seq2seq.pipeline import run as decode

        checkpoint = runs.model(name)
    started = time.monotonic()

    # Touching the page is also what ends the run of a visitor who has left.
    def on_step(progress: Progress) -> None:
        if time.monotonic() - started > PATIENCE:
            share = min(1.0, progress.step / progress.limit)
            place.progress(share, f"Token {progress.step} of at most {progress.limit}")

    with runs.turn(lambda: place.progress(0.0, "Waiting for the runs of other visitors")):
        return decode(checkpoint, text, options, on_step)
