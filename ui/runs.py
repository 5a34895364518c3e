"""Running models, cached for all visitors; computes a few runs at a time."""

from __future__ import annotations

import hashlib
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
from ui.models import checkpoints_for, models, open_model
from ui.text import plain, quoted

if TYPE_CHECKING:
    from seq2seq.audio import Audio
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.search import Progress

RUNS_KEPT, BYTES_KEPT = 64, 400_000_000
RUNS_AT_ONCE = 2
PATIENCE = 0.4  # seconds a run may take before it shows its progress

Key = tuple[str, str, Options | None]  # checkpoint, text or digest of a recording, options


class _Runs:
    """The last runs of all visitors, and the right to compute."""

    def __init__(self) -> None:
        self.kept: OrderedDict[Key, Trace] = OrderedDict()
        self.lock = threading.Lock()
        self.turns = threading.BoundedSemaphore(RUNS_AT_ONCE)

    def get(self, key: Key) -> Trace | None:
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
            return self.kept.get(key)

    def put(self, key: Key, trace: Trace) -> None:
        with self.lock:
            self.kept[key] = trace
            while len(self.kept) > 1 and (
                len(self.kept) > RUNS_KEPT or sum(map(_bytes, self.kept.values())) > BYTES_KEPT
            ):
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


def _bytes(trace: Trace) -> int:
    return sum(getattr(value, "nbytes", 0) for value in vars(trace).values())


@st.cache_resource(show_spinner=False)
def _runs() -> _Runs:
    return _Runs()


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Load what the first run needs in the background, once for the whole server.

    The thread knows nothing of the visitor who started it, so it does not end with that visit.
    """
    store, names = models(), checkpoints_for("translation")[:1]

    def work() -> None:
        import seq2seq.figures  # noqa: F401
        from seq2seq.pipeline import run as decode

        for name in names:
            with suppress(UserError):  # whoever opens a page is told what is wrong
                decode(store.get(name), "Hello.")

    threading.Thread(target=work, daemon=True).start()


def run(name: str, given: str | Audio, options: Options | None = None) -> Trace | None:
    """Decode a text or a recording, or take the run from the cache.

    options: None for the checkpoint's own. Where it cannot, says why and returns None.
    """
    runs, key = _runs(), (name, given if isinstance(given, str) else _digest(given), options)
    trace = runs.get(key)
    if trace is None:
        checkpoint = open_model(name)
        if checkpoint is None:
            return None
        place = st.empty()
        try:
            trace = _compute(runs, checkpoint, given, options, place)
        except UserError as error:
            place.error(plain(str(error)), icon=":material/error:")
            return None
        place.empty()
        runs.put(key, trace)
    _show_notes(trace)
    return trace


def _digest(audio: Audio) -> str:
    return hashlib.sha256(audio.samples.tobytes()).hexdigest()


def reopen(saved: bytes) -> Trace | None:
    """Read a saved run, which needs no model; says why where it cannot, and returns None."""
    try:
        trace = Trace.from_json(saved)
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    what = quoted(trace.source.text[:300]) if trace.source.text else "a recording"
    st.info(
        f"A saved run of {quoted(trace.checkpoint)} on {what}. "
        "Remove the file to see your own input again.",
        icon=":material/history:",
    )
    _show_notes(trace)
    return trace


def _show_notes(trace: Trace) -> None:
    for note in trace.notes:
        st.info(plain(note), icon=":material/info:")


def _compute(
    runs: _Runs, checkpoint: Checkpoint, given: str | Audio, options: Options | None, place: Any
) -> Trace:
    from seq2seq.pipeline import run as decode

    started = time.monotonic()

    # Touching the page is also what ends the run of a visitor who has left.
    def on_step(progress: Progress) -> None:
        if time.monotonic() - started > PATIENCE:
            share = min(1.0, progress.step / progress.limit)
            place.progress(share, f"Token {progress.step} of at most {progress.limit}")

    with runs.turn(lambda: place.progress(0.0, "Waiting for the runs of other visitors")):
        return decode(checkpoint, given, options, on_step, self_attention=None)
