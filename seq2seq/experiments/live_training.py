"""Training a small model while somebody waits, on pairs that lie in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from seq2seq.data.batching import Example, collate, in_groups, pad
from seq2seq.data.tasks import Task
from seq2seq.data.tokenizer import BOS, EOS, PAD
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import search
from seq2seq.experiments.result import OnPart
from seq2seq.models.config import RecurrentConfig
from seq2seq.models.seq2seq import Seq2Seq, build
from seq2seq.training.losses import Objective

CLIP = 1.0  # of the gradient's norm (Pascanu et al. 2013)


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
    draw, objective = np.random.default_rng(settings.seed), Objective(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    by_length: dict[int, list[Example]] = {}
    for pair in pairs:
        by_length.setdefault(len(pair.source), []).append(pair)
    moments: list[Moment] = []
    losses: list[float] = []
    step, spent, next_look = 0, 0.0, settings.every
    while spent < settings.seconds and step < settings.steps:
        started = time.perf_counter()
        model.train()
        # Sources of one length: recurrent encoders then need no packing, which is slow.
        alike = by_length[len(pairs[int(draw.integers(len(pairs)))].source)]
        chosen = draw.integers(0, len(alike), settings.rows)
        loss = objective(collate([alike[number] for number in chosen]))
        optimizer.zero_grad()
        loss.backward()
        gradients = _gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        losses.append(float(loss.detach()))
        step, spent = step + 1, spent + time.perf_counter() - started
        if spent >= min(next_look, settings.seconds) or step == settings.steps:
            next_look = spent + settings.every
            mean = float(np.mean(losses))
            moments.append(Moment(step, spent, mean, loss_on(model, valid), gradients))
            losses.clear()
            if on_moment is not None:
                on_moment(moments[-1])
    model.eval()
    return moments


@torch.inference_mode()
def loss_on(model: Seq2Seq, examples: Sequence[Example]) -> float:
    """Return the loss on examples, in nats a token."""
    model.eval()
    return float(Objective(model)(collate(examples)))


@torch.inference_mode()
def outputs(model: Seq2Seq, sources: Sequence[Sequence[int]], longest: int) -> list[list[int]]:
    """Decode sources greedily, to ids without the end; longest: most tokens that are written."""
    found: dict[int, list[int]] = {}
    options = Options(method="greedy", max_length=longest)
    for group in in_groups([len(source) for source in sources], 256):
        memory = model.encode(pad([[*sources[number], EOS] for number in group], PAD))
        for number, result in zip(
            group, search(model.decoder, memory, options, (BOS,), EOS), strict=True
        ):
            tokens = result.hypotheses[0].tokens
            found[number] = [token for token in tokens if token != EOS]
    return [found[number] for number in range(len(sources))]


def tokens_right(output: Sequence[int], target: Sequence[int]) -> float:
    """Return the share of a target's tokens that stand at their place in an output."""
    same = sum(left == right for left, right in zip(output, target, strict=False))
    return same / len(target)


def _gradients(model: Seq2Seq) -> dict[str, float]:
    """Return the norm of the gradient of each part: "encoder.stack", "decoder.attention" ..."""
    squares: dict[str, float] = {}
    for name, weight in model.named_parameters():
        if weight.grad is not None:
            part = ".".join(name.split(".")[:2])
            squares[part] = squares.get(part, 0.0) + float(weight.grad.square().sum())
    return {part: square**0.5 for part, square in squares.items()}
