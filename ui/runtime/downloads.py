"""Fetching from the Hub. On a hosted server, what is kept of it has a budget."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seq2seq.hub.repository import parse
from ui.runtime.hosting import is_anonymous, is_hosted

if TYPE_CHECKING:
    from seq2seq.hub.download import Fetched
    from seq2seq.hub.repository import Repository

KEPT_GB = 20.0  # on a hosted server that says nothing else


def budget() -> float:
    """Return how many bytes of fetched models stay on the disk: SEQ2SEQ_DOWNLOADS_GB.

    Without it, a hosted server keeps 20 GB and a personal computer whatever was fetched.
    """
    given = os.environ.get("SEQ2SEQ_DOWNLOADS_GB", "")
    if re.fullmatch(r"\d+(\.\d+)?", given):
        return float(given) * 1e9
    return KEPT_GB * 1e9 if is_hosted() else float("inf")


class Downloads:
    """What is being fetched or read at this moment, so that it stays and has room."""

    def __init__(self) -> None:
        self._coming: dict[object, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def fetch(
        self,
        identifier: str,
        loaded: set[str],
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Fetched:
        """Fetch a model within the budget, or find it in the cache; asks the Hub if it must.

        loaded: repositories in use, which stay. Raises UserError.
        """
        from seq2seq import hub

        anonymous = is_anonymous(identifier)
        with self._kept(identifier, loaded, None):
            known = hub.cached(identifier, anonymous)
            if known is not None:
                return hub.fetch(known)
        found = hub.inspect(identifier, anonymous=anonymous)
        with self._kept(identifier, loaded, found):
            return hub.fetch(found, on_progress)

    @contextmanager
    def _kept(self, identifier: str, loaded: set[str], found: Repository | None) -> Iterator[None]:
        """Keep a model while this lasts. found: it is to be fetched, so others make room."""
        from seq2seq import hub

        ticket, name = object(), parse(identifier).name
        with self._lock:
            if found is not None and budget() != float("inf"):
                left = budget() - sum(size for _, size in self._coming.values())
                in_use = loaded | {each for each, _ in self._coming.values()} | {name}
                hub.make_room(found, left, in_use)
            self._coming[ticket] = name, 0 if found is None else found.bytes
        try:
            yield
        finally:
            with self._lock:
                del self._coming[ticket]
