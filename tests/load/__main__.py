"""Measures the goals of hosting on this machine: `python -m tests.load` prints their table.

Starts its own server, one process after the other; --quick takes fewer seconds a row.
"""

from __future__ import annotations

import argparse
import asyncio
import threading
import time
import urllib.request

import psutil

from tests.load.visitors import Plan, Seen, crowd
from tests.served import served_app

GOALS = (
    ("2 without a pause", Plan(2, 20, period=0, arrive=0), "15 runs/s"),
    ("50 visitors, 10 s", Plan(50, 40), "p95 0.25 s"),
    ("100 visitors, 10 s", Plan(100, 40), "p95 0.5 s"),
    ("200 visitors, 10 s", Plan(200, 40), "nobody lost"),
    ("500 visitors, 10 s", Plan(500, 40), "waiting or told to come back"),
    ("50 who leave in the middle", Plan(50, 40, leaves=0.3), "memory flat"),
)


class Watch:
    """The slowest answer of a server about its health, and the memory and time that it takes."""

    def __init__(self, address: str) -> None:
        self.address, self.slowest, self.over = address, 0.0, threading.Event()
        [self.process] = [
            each for each in psutil.Process().children() if "streamlit" in " ".join(each.cmdline())
        ]

    def cpu(self) -> float:
        """Return the processor time so far, in seconds."""
        times = self.process.cpu_times()
        return times.user + times.system

    def look(self) -> None:
        """Ask for the health twice a second until it is over."""
        while not self.over.wait(0.5):
            begun = time.monotonic()
            urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=60).read()
            self.slowest = max(self.slowest, time.monotonic() - begun)


def measure(address: str, plan: Plan) -> tuple[Seen, Watch, float]:
    """Let a crowd come; returns what it saw, and the processor's milliseconds a run."""
    watch = Watch(address)
    looking, before = threading.Thread(target=watch.look), watch.cpu()
    looking.start()
    try:
        seen = asyncio.run(crowd(address.replace("http", "ws"), plan))
    finally:
        watch.over.set()
        looking.join()
    runs = max(1, len(seen.seconds) + len(seen.first))
    return seen, watch, 1000 * (watch.cpu() - before) / runs


def main() -> None:
    """Print a row for each goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a quarter of the time a row")
    parser.add_argument("--rows", type=int, default=len(GOALS), help="only the first of them")
    values = parser.parse_args()
    print("| load | goal | runs/s | p50 s | p95 s | CPU ms a run | lost | refused | waited "
          "| health s | MB |\n" + "| --- " * 11 + "|")  # fmt: skip
    for name, plan, goal in GOALS[: values.rows]:
        plan = plan._replace(seconds=plan.seconds / 4) if values.quick else plan
        with served_app() as address:
            urllib.request.urlopen(f"{address}/_stcore/script-health-check", timeout=60).read()
            asyncio.run(crowd(address.replace("http", "ws"), Plan(1, 2, period=0, arrive=0)))
            begun = time.monotonic()
            seen, watch, cpu = measure(address, plan)
            took = time.monotonic() - begun
            megabytes = watch.process.memory_info().rss / 1e6
        counts = seen.counts
        print(
            f"| {name} | {goal} | {len(seen.seconds) / took:.1f} | {seen.at(0.5):.2f} "
            f"| {seen.at(0.95):.2f} | {cpu:.0f} | {counts['lost']} | {counts['refused']} "
            f"| {counts['waited']} | {watch.slowest:.2f} | {megabytes:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
