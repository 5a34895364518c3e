"""Training a small model while somebody waits, on pairs that lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from seq2seq.data.batching import Batch, Example, collate
from seq2seq.data.tasks import Task
from seq2seq.experiments import clock
from seq2seq.experiments.result import OnPart, Partial
from seq2seq.models.config import RecurrentConfig
from seq2seq.models.seq2seq import Seq2Seq, build
from seq2seq.training.loop import Evaluated, Learner, Loop, Stopwatch
from seq2seq.training.losses import Objective
from seq2seq.training.recipe import TrainingSettings

# The gradient's norm is clipped as Pascanu et al. 2013 do it; nothing else is done.
PLAIN: dict[str, Any] = {"warmup_steps": 0, "label_smoothing": 0.0, "clip": 1.0, "averaging": 0.0}
BETAS = (0.9, 0.999)  # as Kingma and Ba 2015 propose


@dataclass(frozen=True)
class Settings:
    """steps: of training, so that a seed decides how it goes and not how busy the machine is.

    seconds: of the processor, at most, without what is measured in between. moments: how often
    that is done.
    """

    steps: int = 400
    seconds: float = 25.0
    learning_rate: float = 0.005
    rows: int = 64
    seed: int = 0
    moments: int = 20


class Moment(NamedTuple):
    """Where a training stands. seconds: of the processor. Losses in nats a token, without dropout;
    train_loss: on LOOKED_AT of the pairs that are learnt from.

    gradients: norm of the gradient of each part of the model, by name, in the last step.
    """

    step: int
    seconds: float
    train_loss: float
    valid_loss: float
    gradients: dict[str, float]


OnMoment = Callable[[Moment], object]
LOOKED_AT = 200  # pairs
PATIENCE = 2.0  # seconds after which a slow machine shows where it stands


def small_gru(task: Task, seed: int, **fields: Any) -> Seq2Seq:
    """Build a GRU for a task, with dot-product attention unless the fields of its config say else.

    The seed draws its weights; the process's own random state stays.
    """
    chosen: dict[str, Any] = {"attention": "dot", "dropout": 0.0} | fields
    config = RecurrentConfig(task.vocabulary, cell="gru", feeds="token", **chosen)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build(config)


def share_of(
    settings: Settings,
    on_part: OnPart,
    place: int = 0,
    trainings: int = 1,
    show: Callable[[Moment], Partial] | None = None,
) -> OnMoment:
    """Return what reports how much of several equal trainings is done; place: of this one.

    show: makes of a moment what can be seen already.
    """

    def on_moment(moment: Moment) -> None:
        done = place + min(0.99, _done(settings, moment.step, moment.seconds))
        on_part(int(100 * done / trainings), 100, show(moment) if show else None)

    return on_moment


def is_whole(moments: Sequence[Moment], settings: Settings) -> bool:
    """Tell whether a training took all its steps, and was not ended by its seconds."""
    return moments[-1].step >= settings.steps


def cut_short(settings: Settings) -> str:
    """Return the sentence that says that a slow machine ended a training."""
    return (
        f" This machine did not do {settings.steps:,} steps in {settings.seconds:g} s of computing,"
        " so that nothing is decided."
    )


def _done(settings: Settings, step: int, seconds: float) -> float:
    return max(step / settings.steps, seconds / settings.seconds)


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
    rate, watch = settings.learning_rate, Stopwatch(clock=clock.seconds)
    own = TrainingSettings(learning_rate=rate, schedule="constant", **PLAIN)
    learner = Learner(model, own, betas=BETAS)
    moments: list[Moment] = []
    known = pairs[:LOOKED_AT]

    def evaluate(done: float) -> Evaluated:
        watch.pause()
        step, seconds = learner.steps, watch.seconds
        if not moments or moments[-1].step < step:
            losses = loss_on(model, known), loss_on(model, valid)
            moments.append(Moment(step, seconds, *losses, learner.gradient_norms()))
            if on_moment is not None:
                on_moment(moments[-1])
        watch.resume()
        return Evaluated(step, seconds, {})

    def done() -> float:
        if not learner.steps:  # however late it is: there is something to measure then
            return 0.0
        return _done(settings, learner.steps, watch.seconds)

    def due() -> bool:
        step, seconds = (moments[-1].step, moments[-1].seconds) if moments else (0, 0.0)
        every = max(1, settings.steps // settings.moments)
        return learner.steps >= step + every or watch.seconds >= seconds + PATIENCE

    batches = _batches(pairs, settings)
    for _ in Loop(learner, batches, watch, done, due, evaluate).events():
        pass
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
