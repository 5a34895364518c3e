"""Memory and processor cores: of the machine, or of a smaller container that the process is in."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
# What a container may have and has, by control groups of the second version and of the first.
MEMORY = (
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
# What of that holds files that were read, by lists in "memory.stat" beside it.
FILES_READ = ("active_file", "inactive_file")
# How much of how much time of a processor it may take, microseconds both.
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))


def total_memory() -> int:
    """Return the bytes that there are in all."""
    whole = psutil.virtual_memory().total
    return min([whole, *(most for most, _ in _limits(MEMORY))])


def free_memory() -> int:
    """Return the bytes that may still be taken."""
    free = psutil.virtual_memory().available
    for files in MEMORY:
        for most, used in _limits([files]):
            free = min(free, max(0, most - used + _bytes_of_files(files[0])))
    return free


def _bytes_of_files(beside: str) -> int:
    """Return what files that were read take: it counts as used, and goes when it is wanted."""
    with suppress(OSError, ValueError):
        lines = (CGROUP / beside).with_name("memory.stat").read_text().splitlines()
        taken = {name: int(count) for name, count in map(str.split, lines)}
        return sum(taken.get(f"total_{name}", taken.get(name, 0)) for name in FILES_READ)
    return 0


def cores() -> int:
    """Return the number of processor cores that the process may use, at least 1."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    shares = (math.ceil(quota / period) for quota, period in _limits(QUOTAS) if quota > 0)
    return max(1, min([usable or 1, *shares]))


def _limits(files: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """Return two numbers of each pair of files that a container has and that give a limit."""
    found = []
    for names in files:
        with suppress(OSError, ValueError):  # no container, or one without a limit
            first, second = " ".join((CGROUP / name).read_text() for name in names).split()
            found.append((int(first), int(second)))
    return found
