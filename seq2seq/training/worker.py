"""A training as a process of its own: a job comes in as a line of JSON, events go out as lines.

Whoever started it steers it by further lines; it ends when they end. See `Job` and `Command`.
Run as `python -m seq2seq.training.worker`.
"""

from __future__ import annotations

import json
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from seq2seq.data.tasks import TASKS
from seq2seq.errors import UserError
from seq2seq.evaluation.results import LOG
from seq2seq.training.loop import Evaluated, Event, Finished, Step
from seq2seq.training.recipe import parse_recipe
from seq2seq.training.snapshot import aligned_share, gradient_by_distance, written
from seq2seq.training.trainer import BEST, NO_NUMBER, Trainer

SHOWN = 5  # held-out examples whose outputs are told
TELL_EVERY = 0.3  # seconds between two lines about steps
EVALUATE_EVERY = 1.0  # seconds of a model's training


@dataclass(frozen=True)
class Job:
    """One or two recipes that are trained side by side, taking turns at every batch of the same
    data, so that both have taken as many steps when they end.

    folder: an empty one, for the work; each model has a folder in it, named by its letter, with a
    checkpoint in it at the end. data: the folder of own pairs. seconds: of training, each.
    megabytes: of data that the process may hold, 0 for no limit.
    """

    recipes: tuple[str, ...]
    folder: str
    data: str
    seconds: float
    threads: int = 1
    megabytes: int = 0


@dataclass(frozen=True)
class Command:
    """do: "pause", "go on", "step", "stop" or "change", of one model by its letter or of all."""

    do: str
    model: str = ""
    learning_rate: float | None = None
    dropout: float | None = None


LETTERS = "AB"


class Candidate:
    """One model of a job, and what of its steps was not told yet."""

    def __init__(self, letter: str, recipe: str, job: Job, share: Callable[[], float]) -> None:
        self.letter = letter
        self.folder = Path(job.folder) / letter
        self.folder.mkdir(parents=True, exist_ok=True)
        parsed = parse_recipe(recipe)
        self.trainer = Trainer(parsed, Path(job.data), self.folder)
        if self.trainer.device.type == "cpu":
            self.trainer.clock = time.process_time
        self.task = TASKS.get(parsed.data.task)
        self.events = self.trainer.events(None, EVALUATE_EVERY, share)
        self.losses: list[float] = []
        self.tokens, self.told, self.ended = 0, 0.0, False
        self.last: Step | None = None  # that was not told yet

    def pause(self) -> None:
        """Tell the step at which it stands."""
        if self.last is not None:
            self._tell_steps(self.last)

    def obey(self, command: Command) -> None:
        """Change a setting, or take a step; one that was asked for is measured at once."""
        if command.do == "change":
            if command.model in ("", self.letter):
                self.trainer.learner.change(command.learning_rate, command.dropout)
            return
        asked = command.do == "step"
        self.advance(at_once=asked)
        if asked and not self.ended:
            with suppress(UserError):
                self.tell_scores(self.trainer.evaluate(0.0))

    def advance(self, at_once: bool = False) -> bool:
        """Train until the next step is done; tells it at once or now and then. False at the end."""
        try:
            for event in self.events:
                self._tell(event, at_once)
                if isinstance(event, Step):
                    return True
        except (UserError, torch.OutOfMemoryError, MemoryError) as error:
            tell("failed", self.letter, reason=_reason(error))
        self.ended = True
        return False

    def _tell(self, event: Event, at_once: bool) -> None:
        if isinstance(event, Step):
            loss = float(event.loss)
            if not math.isfinite(loss):
                raise UserError(NO_NUMBER)
            self.losses.append(loss)
            self.tokens += event.tokens
            self.last = event
            if at_once or time.monotonic() - self.told >= TELL_EVERY:
                self._tell_steps(event)
        elif isinstance(event, Evaluated):
            self.tell_scores(event)
        elif isinstance(event, Finished):
            tell("finished", self.letter, step=event.step, seconds=event.seconds)

    def _tell_steps(self, step: Step) -> None:
        learner = self.trainer.learner
        tell(
            "step",
            self.letter,
            step=step.number,
            seconds=step.seconds,
            loss=sum(self.losses) / len(self.losses),
            tokens=self.tokens,
            learning_rate=step.learning_rate,
            norms={part: _short(norm) for part, norm in learner.gradient_norms().items()},
            done=step.done,
        )
        self.losses.clear()
        self.last, self.told = None, time.monotonic()

    def tell_scores(self, event: Evaluated) -> None:
        """Tell what was measured, five outputs, their attention, and how far the gradient goes."""
        trainer, model = self.trainer, self.trainer.model
        examples = trainer.corpus.valid_examples  # type: ignore[attr-defined]
        model.eval()
        share = None if self.task is None else aligned_share(model, self.task, examples)
        shown = written(model, trainer.tokenizer, examples[:SHOWN])
        distances = gradient_by_distance(model, examples)
        model.train()
        tell(
            "evaluated",
            self.letter,
            step=event.step,
            seconds=event.seconds,
            loss=event.scores["valid_loss"],
            exact_match=event.scores["valid_exact_match"],
            token_accuracy=event.scores["valid_token_accuracy"],
            aligned=share,
            distances=[_short(norm) for norm in distances],
            written=[
                asdict(each)
                | {"weights": None if each.weights is None else each.weights.round(3).tolist()}
                for each in shown
            ],
        )

    def write(self) -> None:
        """Complete the checkpoint of the best weights, and tell where it is."""
        folder = self.folder / BEST
        if (folder / "config.json").is_file():
            (folder / "recipe.toml").write_text(self.trainer.recipe.text, encoding="utf-8")
            (folder / LOG).write_bytes((self.folder / LOG).read_bytes())
            tell("saved", self.letter, folder=str(folder))


def work(job: Job, commands: queue.Queue[Command | None]) -> None:
    """Train a job to its end, as the commands say; None among them means that nobody listens."""
    candidates: list[Candidate] = []

    def share() -> float:
        return sum(each.trainer.position.seconds for each in candidates) / job.seconds

    for letter, recipe in zip(LETTERS, job.recipes, strict=False):
        candidates.append(Candidate(letter, recipe, job, share))
    for each in candidates:
        tell("ready", each.letter, parameters=each.trainer.model.parameter_count())
        each.tell_scores(each.trainer.evaluate(0.0))
    for command in _commands(commands, lambda: all(each.ended for each in candidates)):
        if command.do == "stop":
            break
        if command.do == "pause":
            for each in candidates:
                each.pause()
            continue
        for each in candidates:
            if not each.ended:
                each.obey(command)
    for each in candidates:
        if not each.ended:
            with suppress(UserError):
                each.tell_scores(each.trainer.evaluate(1.0))
        each.write()


def _commands(
    commands: queue.Queue[Command | None], ended: Callable[[], bool]
) -> Iterator[Command]:
    """Yield what is to be done next: what was told, else one more step unless it is paused."""
    paused = False
    while not ended():
        try:
            command = commands.get(block=paused)
        except queue.Empty:
            yield Command("go on")
            continue
        if command is None:
            os._exit(0)  # nobody is left to be told anything
        if command.do in ("pause", "go on"):
            paused = command.do == "pause"
            yield command
            tell("paused" if paused else "going on")
        else:
            yield command


def tell(event: str, model: str = "", **values: Any) -> None:
    """Write one line."""
    line = json.dumps({"event": event, "model": model, **values}, allow_nan=False)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _short(norm: float) -> float:
    """Round a norm for a line; what is no number counts as a very large one."""
    return float(f"{norm:.4g}") if norm < 1e30 else 1e30


def _reason(error: BaseException) -> str:
    if isinstance(error, UserError):
        return str(error)
    return "The memory for this training is used up: choose a smaller model or smaller batches."


def _limit(job: Job) -> None:
    torch.set_num_threads(job.threads)
    if job.megabytes and sys.platform == "linux" and not torch.cuda.is_available():
        import resource

        most = job.megabytes * 1_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def main() -> None:
    """Read the job and train it."""
    commands: queue.Queue[Command | None] = queue.Queue()
    values = json.loads(sys.stdin.readline())
    job = Job(**{**values, "recipes": tuple(values["recipes"])})

    def listen() -> None:
        for line in sys.stdin:
            commands.put(Command(**json.loads(line)))
        commands.put(None)

    threading.Thread(target=listen, daemon=True).start()
    try:
        _limit(job)
        work(job, commands)
    except (UserError, MemoryError, RuntimeError) as error:
        if not isinstance(error, UserError | MemoryError) and "memory" not in str(error):
            raise
        tell("failed", reason=_reason(error))
    tell("ended")
    sys.stdout.flush()
    os._exit(0)  # the thread that listens would keep it alive


if __name__ == "__main__":
    main()
