"""Trainings that somebody waits for: a process each, a few at a time, the others in a queue."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from seq2seq.errors import UserError
from seq2seq.machine import cores
from seq2seq.training.progress import Progress

LETTERS = "AB"
MOST_WAITING, MOST_KEPT = 20, 12
PATIENCE = 60.0  # seconds after which a training ends whose visitor has left
LONGEST_PAUSE = 600.0
NICE = 10  # what a visitor waits for comes first
SLOW = 15.0  # times as long as its training may a process take, on a machine that others use
LINE = 8_000_000  # characters of one event, far more than there are
PREFIX = "seq2seq-training-"  # of folders; the number of the server's process comes next
WAITING, STARTING, RUNNING, PAUSED, ENDED = "waiting", "starting", "training", "paused", "ended"
# glibc gives freed memory back at every step unless told otherwise; see seq2seq.cli.main.
ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}


class Training:
    """One training: what was asked for, its process, and what is known of its models.

    job: fields of seq2seq.training.worker.Job but for the folders. pairs: texts of files that the
    process reads, by their names; they are deleted once it has read them. about: what whoever asked
    for it wants to know of it later. is_watched: tells whether its visitor is still there.
    state: one of WAITING to ENDED. reason: why it ended early.
    """

    def __init__(
        self, job: dict[str, Any], pairs: dict[str, str] | None = None, about: Any = None
    ) -> None:
        self.name, self.about = secrets.token_hex(8), about
        self.job, self.state, self.reason = job, WAITING, ""
        self.progress = {
            letter: Progress() for letter, _ in zip(LETTERS, job["recipes"], strict=False)
        }
        self.is_watched: Callable[[], bool] = lambda: False
        self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self._pairs = [self.folder / file for file in pairs or {}]
        for path, text in zip(self._pairs, (pairs or {}).values(), strict=True):
            path.write_text(text, encoding="utf-8")
        self.seen = time.monotonic()
        self.began = 0.0
        self.process: subprocess.Popen[str] | None = None
        self._asked_to_stop = False

    @property
    def done(self) -> float:
        """Share that is done, from 0 to 1."""
        return max(each.done for each in self.progress.values())

    @property
    def seconds(self) -> float:
        """Seconds of training so far, of all models."""
        parts = [each.trained for each in self.progress.values() if each.trained]
        return sum(trained[-1].seconds for trained in parts)

    @property
    def seconds_left(self) -> float:
        """Seconds until the end, at the speed that it had so far."""
        taken = time.monotonic() - self.began if self.began else 0.0
        wanted = self.job["seconds"]
        speed = self.seconds / taken if self.seconds > 1 else 1.0
        return max(0.0, wanted - self.seconds) / max(speed, 0.05)

    def touch(self) -> None:
        """Note that the visitor is still there."""
        self.seen = time.monotonic()

    def start(self) -> None:
        """Start the process."""
        self.state, self.began = STARTING, time.monotonic()
        threads = str(self.job.get("threads", 1))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "seq2seq.training.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            cwd=Path(__file__).parents[2],
            env={**os.environ, **ENVIRONMENT, "OMP_NUM_THREADS": threads},
        )
        with suppress(OSError, AttributeError):  # not every system has priorities
            os.setpriority(os.PRIO_PROCESS, self.process.pid, NICE)
        places = {"folder": str(self.folder), "data": str(self.folder)}
        self._send({**self.job, **places})
        threading.Thread(target=self._listen, daemon=True).start()

    def tell(self, do: str, **values: Any) -> None:
        """Send a command: see seq2seq.training.worker.Command."""
        self._asked_to_stop |= do == "stop"
        if self.state == WAITING and do == "stop":
            self.kill()
        elif self.process is not None and self.state != ENDED:
            self._send({"do": do, **values})

    def kill(self, reason: str = "") -> None:
        """End it at once."""
        self.reason = self.reason or reason
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        self.state = ENDED
        self._forget_pairs()

    def remove(self) -> None:
        """End it and delete its files."""
        self.kill()
        if self.process is not None:
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _send(self, values: dict[str, Any]) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        with suppress(OSError, ValueError):  # it has just ended
            self.process.stdin.write(json.dumps(values) + "\n")
            self.process.stdin.flush()

    def _listen(self) -> None:
        """Read the events until the process ends, and note how it ended."""
        process = self.process
        assert process is not None
        assert process.stdout is not None
        told_end = False
        while line := process.stdout.readline(LINE):
            with suppress(ValueError, KeyError):  # cut off by a kill
                event = json.loads(line)
                told_end |= event["event"] == "ended"
                self._read(event)
        code = process.wait()
        if not told_end and not self.reason:
            how = f"ended from outside (signal {-code})" if code < 0 else f"lost (status {code})"
            self.reason = (
                f"The training's process was {how}: train again, or choose a smaller model if the "
                "server was short of memory."
            )
        for pipe in (process.stdout, process.stdin):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._find_weights()
        self._forget_pairs()
        self.state = ENDED

    def _read(self, event: dict[str, Any]) -> None:
        kind, letter = event["event"], event["model"]
        if letter in self.progress:
            self.progress[letter].read(event)
        elif kind == "failed":
            self.reason = event["reason"]
        if kind in ("step", "evaluated") and self.state == STARTING:
            self.state, self.began = RUNNING, time.monotonic()
            self._forget_pairs()  # whose process holds them now
        elif kind in ("paused", "going on"):
            self.state = PAUSED if kind == "paused" else RUNNING

    def _forget_pairs(self) -> None:
        for path in self._pairs:
            path.unlink(missing_ok=True)

    def _find_weights(self) -> None:
        """Take the last good weights of a process that could not say where they are."""
        for letter, each in self.progress.items():
            folder = self.folder / letter / "best"
            if not each.folder and (folder / "model.safetensors").is_file():
                each.folder = str(folder)

    def expire(self, now: float) -> None:
        """End it if its visitor has left, or if it takes far longer than was asked for."""
        if self.is_watched():
            self.touch()
        if self.state == ENDED:
            return
        longest = LONGEST_PAUSE + SLOW * self.job["seconds"]
        if now - self.seen > PATIENCE:
            self.kill("Nobody looked at this training for a minute, so it was ended: train again.")
        elif self.began and now - self.began > longest:
            self.kill("This training took too long and was ended: train again.")


class Jobs:
    """All trainings of a server, in the order in which they were asked for.

    keep: seconds for which one that has ended stays after its visitor has left; None until many
    others have ended. on_remove: is told of each that is deleted.
    """

    def __init__(
        self,
        at_once: int | None = None,
        keep: float | None = None,
        on_remove: Callable[[Training], object] = lambda training: None,
    ) -> None:
        self.at_once = at_once or max(1, cores() - 1)
        self.keep, self.on_remove = keep, on_remove
        self.trainings: list[Training] = []
        self._lock = threading.Lock()
        remove_abandoned()
        threading.Thread(target=self._watch, daemon=True).start()

    def submit(
        self, job: dict[str, Any], pairs: dict[str, str] | None = None, about: Any = None
    ) -> Training:
        """Ask for a training. Raises UserError where too many are waiting."""
        with self._lock:
            if sum(each.state == WAITING for each in self.trainings) >= MOST_WAITING:
                raise UserError("Too many trainings are waiting here: try again in some minutes.")
            training = Training(job, pairs, about)
            self.trainings.append(training)
        self.look()
        return training

    def find(self, name: str) -> Training | None:
        """Return a training by its name, None if it is gone."""
        return next((each for each in self.trainings if each.name == name), None)

    def ahead_of(self, training: Training) -> list[Training]:
        """Return those that run or wait before a waiting one."""
        before = self.trainings[: self.trainings.index(training)]
        return [each for each in before if each.state != ENDED]

    def wait_of(self, training: Training) -> float:
        """Return about how many seconds a training still waits."""
        ahead = self.ahead_of(training)
        left = [each.seconds_left for each in ahead]
        return sum(left) / self.at_once

    def look(self) -> None:
        """End what has expired, and start what may start."""
        with self._lock:
            now = time.monotonic()
            for each in self.trainings:
                each.expire(now)
            running = sum(each.state not in (WAITING, ENDED) for each in self.trainings)
            for each in self.trainings:
                if running < self.at_once and each.state == WAITING:
                    each.start()
                    running += 1
            self._forget(now)

    def close(self) -> None:
        """End all and delete their files."""
        with self._lock:
            for each in self.trainings:
                each.remove()
            self.trainings.clear()

    def _forget(self, now: float) -> None:
        """Delete those that have ended: the oldest of many, and those whose visitor left."""
        ended = [each for each in self.trainings if each.state == ENDED]
        many = max(0, len(ended) - MOST_KEPT)
        left = [each for each in ended[many:] if self.keep and now - each.seen > self.keep]
        for each in ended[:many] + left:
            each.remove()
            self.trainings.remove(each)
            self.on_remove(each)

    def _watch(self) -> None:
        while True:
            time.sleep(0.5)
            self.look()


def remove_abandoned() -> None:
    """Delete the folders of servers that were ended before they could do so."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        number = folder.name.removeprefix(PREFIX).split("-")[0]
        if number.isdecimal() and not _runs(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(number: int) -> bool:
    """Tell whether there is a process of this number; where that cannot be told, there is."""
    if os.name == "nt":  # where this signal would end it
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def job_of(recipes: Sequence[str], seconds: float, megabytes: int) -> dict[str, Any]:
    """Return what Training takes for recipes that are trained for so many seconds in all."""
    return {"recipes": list(recipes), "seconds": seconds, "threads": 1, "megabytes": megabytes}
