"""Training by a recipe: its data, the best weights, a log, and a state to go on from.

One process on a CPU or a GPU; several under torchrun, each with its share of every epoch's batches.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from seq2seq.checkpoint import (
    PAIR,
    TOKENIZER,
    Checkpoint,
    OwnTokenizer,
    best_device,
    check_fit,
    own_generation_config,
    read_model,
    replaced,
    save,
    tokenizer_of,
    write_tokenizer,
)
from seq2seq.data.batching import Batch
from seq2seq.data.tokenizer import BOS, EOS, PAD, UNKNOWN
from seq2seq.data.tokenizer_pair import TokenizerPair
from seq2seq.data.value_tokenizer import ValueTokenizer
from seq2seq.errors import UserError
from seq2seq.evaluation.results import LOG
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import Seq2Seq, build, order_tokens
from seq2seq.training.datasets import SpeechCorpus, read_corpus
from seq2seq.training.loop import Evaluated, Event, Learner, Loop, Step, Stopwatch
from seq2seq.training.memory import give_back
from seq2seq.training.recipe import Recipe
from seq2seq.training.warm_start import Beginning, mix, read_beginning, take_weights

LOG_EVERY = 50  # steps
SAVE_EVERY = 120.0  # seconds; what a kill can lose
NO_NUMBER = "The loss is no longer a number: lower the learning_rate."
STATE, BEST, START = "state.pt", "best", "start"


@dataclass
class Position:
    """Where a run stands. seconds: spent training, over all resumed parts. best_score: the smallest
    that the corpus gave any weights. before: step, epoch and seconds of what trained the weights
    that the run began with.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    tokens: int = 0
    best_score: float = float("inf")
    evaluations_since_best: int = 0
    before: tuple[int, int, float] = (0, 0, 0.0)


def train(
    recipe: Recipe,
    data: Path,
    work: Path,
    resume: bool = False,
    minutes: float | None = None,
    tokenizer: Path | None = None,
    start: Path | None = None,
    on_event: Callable[[Event], object] = lambda event: None,
) -> Checkpoint:
    """Train what the recipe describes on files below `data`; returns the best weights.

    work: folder of the run, where state, log and best weights are kept. With minutes, the schedule
    fits the time, not the recipe's epochs. tokenizer: a file to use, instead of one that is fitted
    to the data. start: folder of a checkpoint whose weights and tokenizer the run begins with; what
    trained them stays in the log. on_event: gets every event, in the first process. Raises
    UserError if there is nothing to resume, if a run is there
    already, or if the weights are of another model.
    """
    if resume and not (work / STATE).is_file():
        raise UserError(f"There is no run of {recipe.name} to resume: start it without --resume.")
    if not resume and (work / STATE).is_file():
        raise UserError(f"A run of {recipe.name} stands: add --resume, or delete {work.name}.")
    # A mistake in [model] is better found before minutes are spent on the tokenizer.
    Config.from_dict({**recipe.model, "vocabulary": recipe.tokenizer.pieces})
    beginning = None
    if start is not None and not resume:
        if start.resolve().is_relative_to(work.resolve()):
            raise UserError(f"{start.name} lies in the run's own folder: name another one for it.")
        beginning = read_beginning(start, recipe)
    if recipe.augmentation.cut and not resume and beginning is None:
        raise UserError(
            "The recipe cuts recordings between words, which a model has to find: "
            "begin with a checkpoint that hears them, by --start."
        )
    work.mkdir(parents=True, exist_ok=True)
    with _processes() as (rank, world):
        if rank == 0 and not resume:
            _clear(work)
            _prepare(work, beginning, tokenizer)
        if world > 1:
            distributed.barrier()
        run = Trainer(recipe, data, work, rank, world)
        if resume:
            run.restore()
        elif beginning is not None:
            run.begin(beginning)
        for event in run.follow(None if minutes is None else 60 * minutes):
            if rank == 0:
                on_event(event)
        return run.best()


def _clear(work: Path) -> None:
    """Remove what an earlier run that cannot be resumed has left."""
    for name in (TOKENIZER, *PAIR, LOG):
        (work / name).unlink(missing_ok=True)
    for name in (BEST, START):
        shutil.rmtree(work / name, ignore_errors=True)


def _prepare(work: Path, beginning: Beginning | None, tokenizer: Path | None) -> None:
    """Write what a run does not begin without: a log that goes on, a tokenizer that is given."""
    if beginning is not None:
        if beginning.tokenizer is not None:
            (work / TOKENIZER).write_bytes(beginning.tokenizer)
        log = "".join(f"{line}\n" for line in beginning.log)
        (work / LOG).write_text(log, encoding="utf-8")
    elif tokenizer is not None:
        shutil.copyfile(tokenizer, work / TOKENIZER)


@contextmanager
def _processes() -> Iterator[tuple[int, int]]:
    """Join the processes of torchrun, if there are several; gives (rank, number of them)."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield 0, 1
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield distributed.get_rank(), world
    finally:
        distributed.destroy_process_group()


class Trainer:
    """A run of a recipe. Its folder keeps the best weights, a log, and a state to go on from.

    clock: what its seconds are read from.
    """

    clock = staticmethod(time.perf_counter)

    def __init__(
        self, recipe: Recipe, data: Path, work: Path, rank: int = 0, world: int = 1
    ) -> None:
        self.recipe, self.settings, self.work = recipe, recipe.training, work
        self.rank, self.world, self.device = rank, world, best_device()
        torch.manual_seed(self.settings.seed)
        torch.set_flush_denormal(True)
        self.corpus = read_corpus(recipe, data)
        self.tokenizer = self._tokenizer()
        model = build(config_of(recipe, self.tokenizer))
        if isinstance(self.tokenizer, ValueTokenizer):
            order_tokens(model, torch.from_numpy(self.tokenizer.centers))
        self.model = model.to(self.device)
        check_fit(self.model.config, self.tokenizer, recipe.name)
        self.checkpoint = Checkpoint(
            self.model,
            self.tokenizer,
            recipe.card,
            own_generation_config(self.model.config, recipe.card, self.tokenizer),
        )
        self.learner = Learner(
            self.model, self.settings, wrap=DistributedDataParallel if world > 1 else _alone
        )
        self.position = Position()
        self.corpus.encode(self.tokenizer)

    def events(
        self,
        budget: float | None = None,
        evaluate_every: float | None = None,
        share: Callable[[], float] | None = None,
    ) -> Iterator[Event]:
        """Train until the epochs or the seconds are used up, or valid gets no better.

        budget: seconds that the schedule is fitted to, None for the recipe's epochs.
        evaluate_every: seconds between two evaluations, None for the recipe's steps. share: tells
        how much is done, from 0 to 1, of trainings that end together, in place of a budget.
        """
        total, position = self._steps_in_all(), self.position
        clock, saved = Stopwatch(position.seconds, self.clock), time.perf_counter()
        evaluated = clock.seconds

        def done() -> float:
            if share is not None:
                return share()
            return position.step / total if budget is None else clock.seconds / budget

        def due() -> bool:
            if evaluate_every is None:
                return position.step % self.settings.evaluate_every == 0
            return clock.seconds - evaluated >= evaluate_every

        loop = Loop(
            self.learner, self._batches(), clock, done, due, self.evaluate, self._stop_together
        )
        for event in loop.events():
            if isinstance(event, Step):
                position.step, position.seconds = event.number, event.seconds
                position.tokens += event.tokens * self.world
            elif isinstance(event, Evaluated):
                evaluated = clock.seconds
            yield event
            # A step and its evaluation are saved together, or a resumed run would evaluate less.
            waits = isinstance(event, Step) and due()
            if not waits and time.perf_counter() - saved > SAVE_EVERY:
                saved = time.perf_counter()
                self.save()
                give_back()
        self.save()

    def follow(self, budget: float | None) -> Iterator[Event]:
        """Train as `events` does, with a bar of the progress and a log of the losses."""
        bar = tqdm(total=1000, unit="‰", disable=self.rank > 0, bar_format=BAR, mininterval=1)
        losses: list[Tensor] = []
        for event in self.events(budget):
            if isinstance(event, Step):
                losses.append(event.loss)
                if len(losses) == LOG_EVERY:
                    self._report(bar, event, float(torch.stack(losses).mean()))
                    losses.clear()
            yield event
        bar.close()

    def _steps_in_all(self) -> int:
        batches = self.corpus.plan(self.corpus.epoch(0), 0)
        return max(1, len(batches) // self.world * self.settings.epochs)

    def _batches(self) -> Iterator[Batch]:
        """Go through epoch after epoch, from where the position says; every process its share."""
        while True:
            examples = self.corpus.epoch(self.position.epoch)
            seed = self.settings.seed * 1_000 + self.position.epoch
            plan = self.corpus.plan(examples, seed)
            plan = plan[: len(plan) // self.world * self.world][self.rank :: self.world]
            if not plan:
                raise UserError(
                    f"Too few examples of at most {self.recipe.data.max_tokens} tokens for "
                    f"{self.world} process(es): give more data or use fewer processes."
                )
            for numbers in plan[self.position.batch :]:
                self.position.batch += 1
                yield self.corpus.batch([examples[number] for number in numbers])
            self.position.epoch += 1
            self.position.batch = 0

    def evaluate(self, done: float) -> Evaluated:
        """Measure valid, and keep the weights if they are the best.

        The running average and the weights themselves are both tried. Raises UserError where the
        loss is no number.
        """
        self.model.eval()
        position, better, going_on = self.position, False, True
        scores: dict[str, float] = {}
        if self.rank == 0:
            score, scores = self._measure()
            better = score < position.best_score
            position.best_score = min(score, position.best_score)
            position.evaluations_since_best = 0 if better else position.evaluations_since_best + 1
            going_on = position.evaluations_since_best < self.settings.patience
            self._log(done=round(done, 4), **scores)
        self.model.train()
        going_on = not self._stop_together(not going_on)
        return Evaluated(position.step, position.seconds, scores, better, going_on)

    def _measure(self) -> tuple[float, dict[str, float]]:
        """Return what weights are chosen by, and the scores to log; saves those that are best."""
        raw = averaged = self.corpus.loss(self.model)
        if not math.isfinite(raw):
            raise UserError(NO_NUMBER)
        if self.settings.averaging:
            self.learner.swap()
            averaged = self.corpus.loss(self.model)
            if averaged > raw:
                self.learner.swap()
        score, scores = self.corpus.score(self.checkpoint, min(raw, averaged))
        if score < self.position.best_score:
            save(self.work / BEST, self.checkpoint)
        if self.settings.averaging and averaged <= raw:
            self.learner.swap()
        losses = {"valid_loss": round(raw, 4), "valid_loss_averaged": round(averaged, 4)}
        return score, losses | scores

    def _stop_together(self, stop: bool) -> bool:
        """Tell whether any process wants to stop, so that all leave the loop at one step."""
        if self.world == 1:
            return stop
        wish = torch.tensor(float(stop), device=self.device)
        distributed.all_reduce(wish, distributed.ReduceOp.MAX)
        return bool(wish.item())

    def _report(self, bar: tqdm, step: Step, loss: float) -> None:
        position = self.position
        speed = position.tokens / max(position.seconds, 1e-9)
        left = position.seconds / max(step.done, 1e-9) - position.seconds
        bar.n = int(1000 * step.done)
        bar.set_postfix_str(
            f"epoch {position.epoch + 1}, step {position.step:,}, loss {loss:.3f}, "
            f"{speed:,.0f} tokens/s, {left / 60:.1f} min left"
        )
        self._log(
            train_loss=round(loss, 4),
            tokens_per_second=round(speed),
            learning_rate=step.learning_rate,
        )

    def _log(self, **values: Any) -> None:
        if self.rank == 0:
            position = self.position
            step, epoch, seconds = position.before
            where = {
                "step": step + position.step,
                "epoch": epoch + position.epoch,
                "seconds": round(seconds + position.seconds, 1),
            }
            _append(self.work / LOG, json.dumps(where | values) + "\n")

    def _tokenizer(self) -> OwnTokenizer:
        """Fit the tokenizer, or take the one that this run has fitted before."""
        names = (TOKENIZER, *PAIR)
        if self.rank == 0 and not any((self.work / name).is_file() for name in names):
            write_tokenizer(self.work, self.corpus.fit())
        if self.world > 1:
            distributed.barrier()
        return tokenizer_of(self.work, self.recipe.card.folded)

    def begin(self, beginning: Beginning) -> None:
        """Take the weights of a checkpoint; they are the best ones so far.

        With a start_share they are not: it is mixed with the best ones of the run itself.
        """
        take_weights(self.model, beginning, self.tokenizer)
        for name, weight in self.model.named_parameters():
            self.learner.average[name].copy_(weight.detach())
        self.position.before = beginning.position
        self._align(self.model)
        save(self.work / START, self.checkpoint)
        self.evaluate(0.0)
        if self.settings.start_share:
            self.position.best_score = math.inf

    def save(self) -> None:
        """Write all that a resumed run needs; a kill while writing leaves the state before."""
        if self.rank == 0:
            state = {
                "model": self.learner.objective.state_dict(),
                "average": self.learner.average,
                "optimizer": self.learner.optimizer.state_dict(),
                "position": vars(self.position),
                "torch_random": torch.get_rng_state(),
                "recipe": self.recipe.settings,
            }
            with replaced(self.work / STATE) as new:
                torch.save(state, new)

    def restore(self) -> None:
        """Continue from what save wrote. Raises UserError if it is damaged or of another model."""
        try:
            state = torch.load(self.work / STATE, map_location="cpu", weights_only=True)
            assert state["recipe"] == self.recipe.settings
            self.learner.objective.load_state_dict(state["model"])
            for name, weight in state["average"].items():
                self.learner.average[name].copy_(weight)
            self.learner.optimizer.load_state_dict(state["optimizer"])
            self.position = Position(**state["position"])
            self.learner.steps = self.position.step
            torch.set_rng_state(state["torch_random"])
            if (self.work / START).is_dir():
                self._align(read_model(self.work / START).to(self.device))
        except Exception:  # torch.load raises whatever the bytes lead it to
            raise UserError(
                f"The run in {self.work.name} cannot go on: its {STATE} is damaged or its recipe "
                "has changed. Delete it to start anew."
            ) from None

    def _align(self, model: Seq2Seq) -> None:
        """Let what the run began with tell where the words of recordings are, if that is needed."""
        if isinstance(self.corpus, SpeechCorpus) and self.recipe.augmentation.cut:
            self.corpus.align(model.eval())

    def best(self) -> Checkpoint:
        """Load the best weights kept, with their share of those that the run began with."""
        model = read_model(self.work / BEST).to(self.device).eval()
        if self.settings.start_share and (self.work / START).is_dir():
            mix(model, read_model(self.work / START), self.settings.start_share)
        generation_config = own_generation_config(model.config, self.recipe.card, self.tokenizer)
        return Checkpoint(model, self.tokenizer, self.recipe.card, generation_config)


def _append(path: Path, line: str) -> None:
    """Add a whole line to a file, or nothing."""
    size = path.stat().st_size if path.is_file() else 0
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line)
    except OSError:
        os.truncate(path, size)
        raise


BAR = "{l_bar}{bar:20}| {postfix}"


def _alone(objective: nn.Module) -> nn.Module:
    return objective


def config_of(recipe: Recipe, tokenizer: OwnTokenizer) -> Config:
    """Return what a recipe's model is built from, with the vocabularies of its tokenizer."""
    values: dict[str, Any] = {**recipe.model, "vocabulary": len(tokenizer)}
    if isinstance(tokenizer, TokenizerPair):
        values |= {"source_vocabulary": len(tokenizer.source), "shared": False}
    special = {"pad": PAD, "unknown": UNKNOWN, "bos": BOS, "eos": EOS}
    return Config.from_dict(values | special)
