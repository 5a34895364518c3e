"""The training loop: teacher forcing, warm-up, clipping, averaging, evaluation, resume.

One process on a CPU or a GPU; several under torchrun, each with its share of every epoch's batches.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from seq2seq.checkpoint import (
    TOKENIZER,
    Checkpoint,
    SharedTokenizer,
    best_device,
    check_fit,
    own_generation_config,
    read_model,
    read_tokenizer,
    replaced,
    save,
)
from seq2seq.data.batching import Batch
from seq2seq.data.tokenizer import BOS, EOS, PAD, UNKNOWN
from seq2seq.data.value_tokenizer import ValueTokenizer
from seq2seq.errors import UserError
from seq2seq.evaluation.results import LOG
from seq2seq.models.config import Config
from seq2seq.models.seq2seq import build, order_tokens
from seq2seq.training.datasets import read_corpus
from seq2seq.training.losses import Objective
from seq2seq.training.recipe import Recipe
from seq2seq.training.warm_start import Beginning, read_beginning

LOG_EVERY = 50  # steps
SAVE_EVERY = 120.0  # seconds; what a kill can lose
STATE, BEST = "state.pt", "best"


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
) -> Checkpoint:
    """Train what the recipe describes on files below `data`; returns the best weights.

    work: folder of the run, where state, log and best weights are kept. With minutes, the schedule
    fits the time, not the recipe's epochs. tokenizer: a file to use, instead of one that is fitted
    to the data. start: folder of a checkpoint whose weights and tokenizer the run begins with; what
    trained them stays in the log. Raises UserError if there is nothing to resume, if a run is there
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
    work.mkdir(parents=True, exist_ok=True)
    with _processes() as (rank, world):
        if rank == 0 and not resume:
            _clear(work)
            if beginning is not None:
                (work / TOKENIZER).write_bytes(beginning.tokenizer)
                log = "".join(f"{line}\n" for line in beginning.log)
                (work / LOG).write_text(log, encoding="utf-8")
            elif tokenizer is not None:
                shutil.copyfile(tokenizer, work / TOKENIZER)
        if world > 1:
            distributed.barrier()
        run = _Run(recipe, data, work, rank, world)
        if resume:
            run.restore()
        elif beginning is not None:
            run.begin(beginning)
        run.train(None if minutes is None else 60 * minutes)
        return run.best()


def _clear(work: Path) -> None:
    """Remove what an earlier run that cannot be resumed has left."""
    for name in (TOKENIZER, LOG):
        (work / name).unlink(missing_ok=True)
    shutil.rmtree(work / BEST, ignore_errors=True)


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


class _Run:
    def __init__(self, recipe: Recipe, data: Path, work: Path, rank: int, world: int) -> None:
        self.recipe, self.settings, self.work = recipe, recipe.training, work
        self.rank, self.world, self.device = rank, world, best_device()
        torch.manual_seed(self.settings.seed)
        torch.set_flush_denormal(True)
        self.corpus = read_corpus(recipe, data)
        self.tokenizer = self._tokenizer()
        model = build(
            Config.from_dict(
                {
                    **recipe.model,
                    "vocabulary": len(self.tokenizer),
                    "pad": PAD,
                    "unknown": UNKNOWN,
                    "bos": BOS,
                    "eos": EOS,
                }
            )
        )
        if isinstance(self.tokenizer, ValueTokenizer):
            order_tokens(model, torch.from_numpy(self.tokenizer.centers))
        self.model = model.to(self.device)
        check_fit(model.config, self.tokenizer, recipe.name)
        self.checkpoint = Checkpoint(
            self.model,
            self.tokenizer,
            recipe.card,
            own_generation_config(self.model.config, recipe.card, self.tokenizer),
        )
        settings = self.settings
        self.objective = Objective(
            self.model, settings.label_smoothing, settings.ctc, settings.guide
        )
        self.objective.to(self.device)
        self.parallel: nn.Module = self.objective
        if world > 1:
            self.parallel = DistributedDataParallel(self.objective)
        self.average = {name: w.detach().clone() for name, w in self.model.named_parameters()}
        self.optimizer = torch.optim.Adam(
            self.objective.parameters(), lr=0.0, betas=(0.9, 0.98), fused=True
        )
        self.position = Position()
        self.precision = _precision(self.device, self.model.config.width)
        self.corpus.encode(self.tokenizer)

    def train(self, budget: float | None) -> None:
        """Train until the epochs or the seconds are used up, or valid gets no better."""
        total = self._steps_in_all()
        bar = tqdm(total=1000, unit="‰", disable=self.rank > 0, bar_format=BAR, mininterval=1)
        started, offset, saved = time.perf_counter(), self.position.seconds, time.perf_counter()
        losses: list[Tensor] = []
        for batch in self._batches():
            spent = offset + time.perf_counter() - started
            done = self.position.step / total if budget is None else spent / budget
            if self._stop_together(done >= 1):
                break
            losses.append(self._step(batch, min(done, 1.0)))
            self.position.seconds = spent
            if len(losses) == LOG_EVERY:
                self._report(bar, torch.stack(losses), done)
                losses.clear()
            if self.position.step % self.settings.evaluate_every == 0 and not self._evaluate(done):
                break
            if time.perf_counter() - saved > SAVE_EVERY:
                saved = time.perf_counter()
                self.save()
        self._evaluate(1.0)
        self.save()
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

    def _step(self, batch: Batch, done: float) -> Tensor:
        """Take one optimizer step; returns the mean loss of its tokens, not yet synchronised."""
        settings, position = self.settings, self.position
        warm = min(1.0, (position.step + 1) / max(1, settings.warmup_steps))
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * warm * (1 - done)
        count = int((batch.labels != PAD).sum())
        with torch.autocast(self.device.type, self.precision, self.precision is not torch.float32):
            loss = self.parallel(batch.to(self.device), done >= settings.guide_from)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.objective.parameters(), settings.clip)
        self.optimizer.step()
        position.step += 1
        position.tokens += count * self.world
        self._update_average()
        return loss.detach()

    @torch.no_grad()
    def _update_average(self) -> None:
        step = self.position.step
        decay = min(self.settings.averaging, (1 + step) / (10 + step))
        averages = list(self.average.values())
        torch._foreach_lerp_(averages, [*self.model.parameters()], 1 - decay)

    def _evaluate(self, done: float) -> bool:
        """Measure valid, keep the weights if they are the best; tells whether to go on.

        The running average and the weights themselves are both tried.
        """
        self.model.eval()
        position, keep_going = self.position, True
        if self.rank == 0:
            raw = self.corpus.loss(self.model)
            if not math.isfinite(raw):
                raise UserError("The loss is no longer a number: lower the learning_rate.")
            self._swap()
            averaged = self.corpus.loss(self.model)
            if averaged > raw:
                self._swap()
            score, scores = self.corpus.score(self.checkpoint, min(raw, averaged))
            better = score < position.best_score
            if better:
                save(self.work / BEST, self.checkpoint)
            if averaged <= raw:
                self._swap()
            position.best_score = min(score, position.best_score)
            position.evaluations_since_best = 0 if better else position.evaluations_since_best + 1
            keep_going = position.evaluations_since_best < self.settings.patience
            self._log(
                done=round(done, 4),
                valid_loss=round(raw, 4),
                valid_loss_averaged=round(averaged, 4),
                **scores,
            )
        self.model.train()
        return not self._stop_together(not keep_going)

    def _swap(self) -> None:
        """Exchange the weights and their running average."""
        for name, weight in self.model.named_parameters():
            weight.data, self.average[name] = self.average[name], weight.data

    def _stop_together(self, stop: bool) -> bool:
        """Tell whether any process wants to stop, so that all leave the loop at one step."""
        if self.world == 1:
            return stop
        wish = torch.tensor(float(stop), device=self.device)
        distributed.all_reduce(wish, distributed.ReduceOp.MAX)
        return bool(wish.item())

    def _report(self, bar: tqdm, losses: Tensor, done: float) -> None:
        loss, position = float(losses.mean()), self.position
        speed = position.tokens / max(position.seconds, 1e-9)
        left = position.seconds / max(done, 1e-9) - position.seconds
        bar.n = int(1000 * done)
        bar.set_postfix_str(
            f"epoch {position.epoch + 1}, step {position.step:,}, loss {loss:.3f}, "
            f"{speed:,.0f} tokens/s, {left / 60:.1f} min left"
        )
        self._log(
            train_loss=round(loss, 4),
            tokens_per_second=round(speed),
            learning_rate=self.optimizer.param_groups[0]["lr"],
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

    def _tokenizer(self) -> SharedTokenizer:
        """Fit the tokenizer, or take the one that this run has fitted before."""
        path = self.work / TOKENIZER
        if self.rank == 0 and not path.is_file():
            with replaced(path) as new:
                new.write_bytes(self.corpus.fit().model)
        if self.world > 1:
            distributed.barrier()
        return read_tokenizer(path, self.recipe.card.folded)

    def begin(self, beginning: Beginning) -> None:
        """Take the weights of a checkpoint; they are the best ones so far."""
        self.model.load_state_dict(beginning.model.state_dict())
        for name, weight in self.model.named_parameters():
            self.average[name].copy_(weight.detach())
        self.position.before = beginning.position
        self._evaluate(0.0)

    def save(self) -> None:
        """Write all that a resumed run needs; a kill while writing leaves the state before."""
        if self.rank == 0:
            state = {
                "model": self.objective.state_dict(),
                "average": self.average,
                "optimizer": self.optimizer.state_dict(),
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
            self.objective.load_state_dict(state["model"])
            for name, weight in state["average"].items():
                self.average[name].copy_(weight)
            self.optimizer.load_state_dict(state["optimizer"])
            self.position = Position(**state["position"])
            torch.set_rng_state(state["torch_random"])
        except Exception:  # torch.load raises whatever the bytes lead it to
            raise UserError(
                f"The run in {self.work.name} cannot go on: its {STATE} is damaged or its recipe "
                "has changed. Delete it to start anew."
            ) from None

    def best(self) -> Checkpoint:
        """Load the best weights kept."""
        model = read_model(self.work / BEST).to(self.device).eval()
        habits = own_generation_config(model.config, self.recipe.card, self.tokenizer)
        return Checkpoint(model, self.tokenizer, self.recipe.card, habits)


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


NARROW = 192  # width up to which a CPU loses more by converting numbers than it gains


def _precision(device: torch.device, width: int) -> torch.dtype:
    """bfloat16 where the processor computes in it and the model is wide enough, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    native = np.any([torch.cpu._is_avx512_bf16_supported(), torch.cpu._is_amx_tile_supported()])
    return torch.bfloat16 if native and width > NARROW else torch.float32
