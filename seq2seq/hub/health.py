"""Asks a server of the app on this machine whether it is ready."""

from __future__ import annotations

import urllib.request
from contextlib import suppress

PATIENCE = 60.0  # seconds; the first answer waits until the app has been run once


def is_ready(port: int, address: str = "127.0.0.1") -> bool:
    """Have the server run the app once, after which it knows all pages; tells if it did."""
    url = f"http://{address}:{port}/_stcore/script-health-check"
    with suppress(OSError), urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.status == 200
    return False
