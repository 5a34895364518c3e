"""Measures the goals of hosting on this machine: `python -m tests.load` prints their table.

Starts its own servers, those of one row after those of another; --quick takes fewer seconds a row.
The visitors of several processes come to each in turns, as a proxy would send them.
"""

from __future__ import annotations

import argparse
import asyncio
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

import psutil

from tests.load.visitors import Plan, Seen, crowd
from tests.served import served_app


class Row(NamedTuple):
    """What is measured: by how many processes, of what crowd, and what for."""

    name: str
    plan: Plan
    goal: str
    processes: int = 1


ROWS = (
    Row("2 without a pause", Plan(2, 20, period=0, arrive=0), "15 runs/s"),
    Row("50 visitors, 10 s", Plan(50, 40), "p95 0.25 s"),
    Row("100 visitors, 10 s", Plan(100, 40), "p95 0.5 s"),
    Row("200 visitors, 10 s", Plan(200, 40), "nobody lost"),
    Row("500 visitors, 10 s", Plan(500, 40), "waiting or told to come back"),
    Row("50, some leave or send twice", Plan(50, 600, leaves=0.2, twice=0.2), "MB flat within 5 %"),
    Row("4 without a pause", Plan(4, 20, period=0, arrive=0), "25 runs/s", 2),
    Row("200 visitors, 10 s", Plan(200, 40), "p95 2 s, nobody lost", 2),
    Row("500 visitors, 10 s", Plan(500, 40), "waiting or told to come back", 2),
)


class Watch:
    """The slowest answer of the processes about their health, and what memory and time they take.

    addresses: of all processes of the app that have been started here.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses, self.slowest, self.over = addresses, 0.0, threading.Event()
        self.sizes: list[float] = []
        self.processes = [
            each for each in psutil.Process().children() if "streamlit" in " ".join(each.cmdline())
        ]

    def cpu(self) -> float:
        """Return the processor time so far, in seconds."""
        times = [process.cpu_times() for process in self.processes]
        return sum(each.user + each.system for each in times)

    def megabytes(self) -> tuple[float, float]:
        """Return the memory of all, as medians of the second and of the last tenth of the time."""
        tenth = max(1, len(self.sizes) // 10)
        return median(self.sizes[tenth : 2 * tenth] or self.sizes), median(self.sizes[-tenth:])

    def look(self) -> None:
        """Ask for the health, and the memory, twice a second until it is over."""
        while not self.over.wait(0.5):
            self.sizes.append(sum(each.memory_info().rss for each in self.processes) / 1e6)
            for address in self.addresses:
                begun = time.monotonic()
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=60).read()
                self.slowest = max(self.slowest, time.monotonic() - begun)


def measure(addresses: Sequence[str], plan: Plan) -> tuple[Seen, Watch, float]:
    """Let a crowd come; returns what it saw, and the processor's milliseconds a run."""
    watch = Watch(addresses)
    looking, before = threading.Thread(target=watch.look), watch.cpu()
    looking.start()
    try:
        seen = asyncio.run(crowd(addresses, plan))
    finally:
        watch.over.set()
        looking.join()
    runs = max(1, len(seen.seconds) + len(seen.first))
    return seen, watch, 1000 * (watch.cpu() - before) / runs


def main() -> None:
    """Print a line for each row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a quarter of the time a row")
    parser.add_argument("--rows", type=int, nargs="*", help="only these, from 1")
    values = parser.parse_args()
    print("| processes | load | goal | runs/s | p50 s | p95 s | CPU ms a run | lost | refused "
          "| waited | health s | MB early, late |\n" + "| --- " * 12 + "|")  # fmt: skip
    for number, row in enumerate(ROWS, start=1):
        if values.rows and number not in values.rows:
            continue
        plan = row.plan._replace(seconds=row.plan.seconds / 4) if values.quick else row.plan
        with ExitStack() as servers:
            addresses = [servers.enter_context(served_app()) for _ in range(row.processes)]
            for address in addresses:
                urllib.request.urlopen(f"{address}/_stcore/script-health-check", timeout=60).read()
                asyncio.run(crowd([address], Plan(1, 2, period=0, arrive=0, seed=1)))
            begun = time.monotonic()
            seen, watch, cpu = measure(addresses, plan)
            took, (early, late) = time.monotonic() - begun, watch.megabytes()
        counts = seen.counts
        print(
            f"| {row.processes} | {row.name} | {row.goal} | {len(seen.seconds) / took:.1f} "
            f"| {seen.at(0.5):.2f} | {seen.at(0.95):.2f} | {cpu:.0f} | {counts['lost']} "
            f"| {counts['refused']} | {counts['waited']} | {watch.slowest:.2f} "
            f"| {early:.0f}, {late:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
