"""Who may compute now: visitors are served in the order in which they came, one at a time.

Nearly all of a run holds Python's one lock, which two at once would only hand to and fro: of eight
visitors without a pause, a second place made a run take a tenth longer, and a seventh fewer fit in.
A page holds the place while it runs. What takes long gives it back and has a queue of its own.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

RUNS_AT_ONCE, RUNS_WAITING = 1, 30
LONG_AT_ONCE, LONG_WAITING = 1, 8
LONG_AFTER = 1.0  # seconds after which a run counts as a long one
PATIENCE = 0.5  # seconds that one waits without being told
BETWEEN_LOOKS = 0.25  # seconds; writing to the page is also what ends the wait of one who has left
RECENT = 0.1  # weight of the newest run in the mean time of a run

P = ParamSpec("P")
OnWait = Callable[[int, float], object]  # place in the queue, from 1, and seconds to wait


class FullError(Exception):
    """So many are waiting that one more is told to come back. seconds: until there is room."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"full for about {seconds:.0f} s")
        self.seconds = seconds


class Gate:
    """So many places, and so many who may wait for one; first come, first served."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self.at_once, self.most_waiting = at_once, waiting
        self.held = self.served = self.refused = 0
        self.seconds = 0.5  # mean time that a place is held
        self._queue: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    def take(self, on_wait: OnWait, returning: bool = False) -> None:
        """Take a place; calls `on_wait` now and then until there is one, and may be ended by it.

        returning: for whoever had one already, and is not sent away. Raises FullError.
        """
        turn = threading.Event()
        with self._lock:
            if self.held < self.at_once:
                self.held += 1
                return
            if len(self._queue) >= self.most_waiting and not returning:
                self.refused += 1
                raise FullError(self.wait(len(self._queue)))
            self._queue.append(turn)
        try:
            while not turn.wait(BETWEEN_LOOKS):
                on_wait(*self._place(turn))
        except BaseException:
            with self._lock:
                if turn in self._queue:
                    self._queue.remove(turn)
                    raise
            self.give()
            raise

    def give(self, seconds: float | None = None) -> None:
        """Give a place to whoever has waited longest. seconds: that it was held, if so."""
        with self._lock:
            if seconds is not None:
                self.served += 1
                self.seconds += RECENT * (seconds - self.seconds)
            if self._queue:
                self._queue.popleft().set()
            else:
                self.held -= 1

    def wait(self, place: int) -> float:
        """Return about how many seconds somebody waits at a place, from 1."""
        return self.seconds * place / self.at_once

    def _place(self, turn: threading.Event) -> tuple[int, float]:
        with self._lock:
            place = self._queue.index(turn) + 1 if turn in self._queue else 1
        return place, self.wait(place)


class _Visit(threading.local):
    """The place that the run of a page, which is a thread, holds."""

    gate: Gate | None = None
    since = 0.0


class Admission:
    """The two queues of a server, and who holds a place."""

    def __init__(
        self,
        short: tuple[int, int] = (RUNS_AT_ONCE, RUNS_WAITING),
        long: tuple[int, int] = (LONG_AT_ONCE, LONG_WAITING),
    ) -> None:
        self.short, self.long = Gate(*short), Gate(*long)
        self._visit = _Visit()

    @contextmanager
    def run(self, on_wait: OnWait) -> Iterator[None]:
        """Hold a place for a run; nothing more is needed within another one. Raises FullError."""
        if self._visit.gate is not None:
            yield
            return
        self._move(self.short, on_wait)
        try:
            yield
        finally:
            self._move(None, on_wait)

    @contextmanager
    def long_job(self, on_wait: OnWait) -> Iterator[None]:
        """Hold a place for what takes long, in place of that of a run. Raises FullError."""
        with self._instead(self.long, on_wait):
            yield

    def give_way(self, on_wait: OnWait) -> None:
        """Let whoever waits for the same queue go first, and wait behind them.

        To be called between the parts of a job that may take hours.
        """
        gate = self._visit.gate
        if gate is not None and gate.waiting:
            self._move(gate, on_wait, returning=True)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Give the place of a run back while nothing is computed, as during a download."""
        with self._instead(None, lambda place, seconds: None):
            yield

    def lengthen(self, on_wait: OnWait) -> None:
        """Move a run that turns out to take long to the other queue, if others wait for its place.

        To be called now and then by what computes.
        """
        late = time.monotonic() - self._visit.since > LONG_AFTER
        if late and self._visit.gate is self.short and self.short.waiting:
            self._move(self.long, on_wait, returning=True)

    @contextmanager
    def _instead(self, gate: Gate | None, on_wait: OnWait) -> Iterator[None]:
        before = self._visit.gate
        if gate is not None and before is gate:
            yield
            return
        self._move(gate, on_wait)
        try:
            yield
        except Exception:  # what the page goes on after; not the end of a visit
            self._move(before, on_wait, returning=True)
            raise
        except BaseException:
            self._move(None, on_wait)
            raise
        self._move(before, on_wait, returning=True)

    def _move(self, gate: Gate | None, on_wait: OnWait, returning: bool = False) -> None:
        visit = self._visit
        if visit.gate is not None:
            held, visit.gate = visit.gate, None
            held.give(time.monotonic() - visit.since)
        if gate is not None:
            gate.take(on_wait, returning)
            visit.gate, visit.since = gate, time.monotonic()


@st.cache_resource(show_spinner=False)
def admission() -> Admission:
    """Return the queues of this server, the same for all visitors."""
    return Admission()


@contextmanager
def admitted(place: DeltaGenerator) -> Iterator[None]:
    """Compute in one's turn; shows the queue in a place of the page, or ends the run if it is full.

    A page and each fragment of it do; within them, nothing more is waited for.
    """
    try:
        with admission().run(waiting_note(place)):
            yield
    except FullError as full:
        with place.container():
            st.warning(refusal(full), icon=":material/hourglass_disabled:")
            st.button("Try again", key="try_again")
        st.stop()


def fragment(draw: Callable[P, None]) -> Callable[P, None]:
    """Make a function a fragment of the page that waits for its turn when it runs alone."""

    @wraps(draw)
    def in_turn(*args: P.args, **kwargs: P.kwargs) -> None:
        with admitted(st.empty()):
            draw(*args, **kwargs)

    return st.fragment(in_turn)


def waiting_note(place: DeltaGenerator) -> OnWait:
    """Return what writes to a place of the page how long a visitor has to wait."""
    started = time.monotonic()

    def on_wait(position: int, seconds: float) -> None:
        if time.monotonic() - started < PATIENCE:
            place.empty()  # a visitor who has left is noticed here
        else:
            text = f"Place {position} in the queue, for about {max(1, seconds):.0f} s"
            place.info(text, icon=":material/hourglass_top:")

    return on_wait


def refusal(full: FullError) -> str:
    """Say that the queue is full, and when to come back."""
    return (
        "More visitors are here than this server can serve at once. Try again in about "
        f"{max(1, full.seconds):.0f} s."
    )
