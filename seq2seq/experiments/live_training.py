"""Training a small model while somebody waits, on pairs that lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seq2seq.data.batching import Batch, Example, collate
from seq2seq.data.tasks import Task
from seq2seq.experiments.result import OnPart
from seq2seq.models.config import RecurrentConfig
from seq2seq.models.seq2seq import Seq2Seq, build
from seq2seq.training.loop import Evaluated, Learner, Loop, Step, Stopwatch
from seq2seq.training.losses import Objective
from seq2seq.training.recipe import TrainingSettings

# The gradient's norm is clipped as Pascanu et al. 2013 do it; nothing else is done.
PLAIN: dict[str, Any] = {"warmup_steps": 0, "label_smoothing": 0.0, "clip": 1.0, "averaging": 0.0}
BETAS = (0.9, 0.999)  # as Kingma and Ba 2015 propose


@dataclass(frozen=True)
class Settings:
    """seconds: of training, without what is measured in between. every: seconds between two."""

    seconds: float = 10.0
    every: float = 0.5
    learning_rate: float = 0.003
    rows: int = 64
    steps: int = 1_000_000  # at most
    seed: int = 0


class Moment(NamedTuple):
    """Where a training stands. Losses in nats a token; train_loss: mean since the last moment.

    gradients: norm of the gradient of each part of the model, by name, in the last step.
    """

    step: int
    seconds: float
    train_loss: float
    valid_loss: float
    gradients: dict[str, float]


OnMoment = Callable[[Moment], object]


def small_gru(task: Task, seed: int, **fields: Any) -> Seq2Seq:
    """Build a GRU for a task, with dot-product attention unless the fields of its config say else.

    The seed draws its weights; the process's own random state stays.
    """
    chosen: dict[str, Any] = {"attention": "dot", "dropout": 0.0} | fields
    config = RecurrentConfig(task.vocabulary, cell="gru", feeds="token", **chosen)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build(config)


def share_of(settings: Settings, on_part: OnPart, place: int = 0, trainings: int = 1) -> OnMoment:
    """Return what reports how much of several equal trainings is done; place: of this one."""

    def on_moment(moment: Moment) -> None:
        done = place + min(0.99, moment.seconds / settings.seconds)
        on_part(int(100 * done / trainings), 100)

    return on_moment


def train(
    model: Seq2Seq,
    pairs: Sequence[Example],
    valid: Sequence[Example],
    settings: Settings,
    on_moment: OnMoment | None = None,
) -> list[Moment]:
    """Train with Adam (Kingma and Ba 2015); the model is left in eval mode."""
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        return _train(model, pairs, valid, settings, on_moment)


def _train(
    model: Seq2Seq,
    pairs: Sequence[Example],
    valid: Sequence[Example],
    settings: Settings,
    on_moment: OnMoment | None,
) -> list[Moment]:
    rate, clock = settings.learning_rate, Stopwatch()
    own = TrainingSettings(learning_rate=rate, schedule="constant", **PLAIN)
    learner = Learner(model, own, betas=BETAS)
    moments: list[Moment] = []
    losses: list[Tensor] = []

    def evaluate(done: float) -> Evaluated:
        clock.pause()
        step, seconds = learner.steps, clock.seconds
        if losses:  # else the last step was measured already
            mean = float(torch.stack(losses).mean())
            norms = learner.gradient_norms()
            moments.append(Moment(step, seconds, mean, loss_on(model, valid), norms))
            losses.clear()
            if on_moment is not None:
                on_moment(moments[-1])
        clock.resume()
        return Evaluated(step, seconds, {})

    def done() -> float:
        if not learner.steps:  # however late it is: there is something to measure then
            return 0.0
        return max(clock.seconds / settings.seconds, learner.steps / settings.steps)

    def due() -> bool:
        return clock.seconds >= settings.every + (moments[-1].seconds if moments else 0.0)

    batches = _batches(pairs, settings)
    for event in Loop(learner, batches, clock, done, due, evaluate).events():
        if isinstance(event, Step):
            losses.append(event.loss)
    model.eval()
    return moments


def _batches(pairs: Sequence[Example], settings: Settings) -> Iterator[Batch]:
    """Draw batches of sources of one length: recurrent encoders then need no packing."""
    draw = np.random.default_rng(settings.seed)
    by_length: dict[int, list[Example]] = {}
    for pair in pairs:
        by_length.setdefault(len(pair.source), []).append(pair)
    while True:
        alike = by_length[len(pairs[int(draw.integers(len(pairs)))].source)]
        chosen = draw.integers(0, len(alike), settings.rows)
        yield collate([alike[number] for number in chosen])


@torch.inference_mode()
def loss_on(model: Seq2Seq, examples: Sequence[Example]) -> float:
    """Return the loss on examples, in nats a token."""
    model.eval()
    return float(Objective(model)(collate(examples)))
