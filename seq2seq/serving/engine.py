"""What computes the requests of pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from seq2seq.errors import UserError, quote
from seq2seq.serving.local import Local
from seq2seq.serving.request import Load, Request
from seq2seq.trace import Trace


class Engine(Protocol):
    """Computes requests."""

    def compute(self, request: Request, on_wait: Callable[[], object] | None = None) -> Trace:
        """Return what a request asks for. on_wait is called now and then until it is there.

        Raises UserError where the request, or the engine, is at fault.
        """


def engine_of(address: str, load: Load) -> Engine:
    """Return the engine at an address: "" for this process, ray://HOST:PORT for a cluster.

    Raises UserError for another address, or where the cluster does not answer.
    """
    if not address:
        return Local(load)
    scheme, _, cluster = address.partition("://")
    if scheme != "ray" or not cluster:
        raise UserError(f"There is no engine at {quote(address)}: write ray://HOST:PORT.")
    from seq2seq.serving.ray_serve import RayServe

    return RayServe(cluster)
