"""Computes in this process."""

from __future__ import annotations

from collections.abc import Callable

from seq2seq.serving.request import Load, Request
from seq2seq.trace import Trace


class Local:
    """Computes in this process."""

    def __init__(self, load: Load) -> None:
        self.load = load

    def compute(self, request: Request, on_wait: Callable[[], object] | None = None) -> Trace:
        """Compute a request as an Engine does."""

        def on_step(progress: object) -> None:
            if on_wait is not None:
                on_wait()

        return request.compute(self.load(request.checkpoint), on_step)
