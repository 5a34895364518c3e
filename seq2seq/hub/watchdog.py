"""Work that may hang, done in a thread: its progress is reported here, and its time is limited."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

Progress = Callable[[int, int], None]
Result = TypeVar("Result")

THREAD = "watched work"
_POLL = 0.05


class StalledError(Exception):
    """Nothing moved for too long."""


class StoppedError(Exception):
    """Whoever asked for the work wants it no more."""


class Meter:
    """How far a working thread has come, in a unit of its own."""

    def __init__(self, total: int = 0, done: int = 0) -> None:
        self.total, self.done = total, done
        self.moved = time.monotonic()
        self.abandoned = threading.Event()

    def add(self, count: int = 0) -> None:
        """Count what was done; with 0, note that something moved.

        Raises StoppedError once nobody waits any more, which ends the thread.
        """
        if self.abandoned.is_set():
            raise StoppedError
        self.done += count
        self.moved = time.monotonic()


def watch(
    work: Callable[[], Result],
    meter: Meter,
    patience: float,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Result:
    """Run work in a thread and return its result, or raise what it raised.

    on_progress and cancelled are called from the caller's thread, some twenty times a second;
    progress only grows, and ends at the total. patience: seconds without a move of the meter, after
    which StalledError is raised. Raises StoppedError if cancelled.
    """
    outcomes: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcomes.put((work(), None))
        except BaseException as error:
            outcomes.put((None, error))

    # A daemon, so that an answer that never comes does not keep the program from ending.
    threading.Thread(target=run, name=THREAD, daemon=True).start()
    shown = -1
    try:
        while True:
            with suppress(queue.Empty):
                result, error = outcomes.get(timeout=_POLL)
                break
            if cancelled and cancelled():
                raise StoppedError
            if time.monotonic() - meter.moved > patience:
                raise StalledError
            done = min(meter.done, meter.total)
            if on_progress and done > shown:
                shown = done
                on_progress(done, meter.total)
    finally:
        meter.abandoned.set()
    if error:
        raise error
    if on_progress and shown < meter.total:
        on_progress(meter.total, meter.total)
    return result


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Draw a bar of bytes on standard error; gives what to pass as on_progress."""
    from tqdm import tqdm

    bars: list[tqdm] = []

    def show(done: int, total: int) -> None:
        if not bars:  # only now: a mistake that is found before the first byte is one line
            bars.append(tqdm(desc=label, total=total, unit="B", unit_scale=True, leave=False))
        bars[0].update(done - bars[0].n)

    try:
        yield show
    finally:
        for bar in bars:
            bar.close()
