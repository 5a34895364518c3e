"""How much memory there is: of the machine, or of a smaller container that the process is in."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
# What a container may have and has, by control groups of the second version and of the first.
FILES = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)


def total_memory() -> int:
    """Return the bytes that there are in all."""
    whole = psutil.virtual_memory().total
    return min(whole, *(most for most, _ in _container()), whole)


def free_memory() -> int:
    """Return the bytes that may still be taken."""
    free = psutil.virtual_memory().available
    return min(free, *(max(0, most - used) for most, used in _container()), free)


def _container() -> list[tuple[int, int]]:
    """Return the limits of containers and what they use; none where there is none."""
    found = []
    for names in FILES:
        with suppress(OSError, ValueError):  # no container, or one without a limit
            most, used = (int((CGROUP / name).read_text()) for name in names)
            found.append((most, used))
    return found
