"""The loop of every training: steps, evaluations and an end, as events.

It knows neither files nor texts: a model, its batches and what measures it are handed in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from seq2seq.data.batching import Batch
from seq2seq.data.tokenizer import PAD
from seq2seq.models.attention import MultiHead
from seq2seq.models.seq2seq import Seq2Seq
from seq2seq.training.losses import Objective
from seq2seq.training.recipe import TrainingSettings

NARROW = 192  # width up to which a CPU loses more by converting numbers than it gains


class Step(NamedTuple):
    """One optimizer step: its number, from 1, and the mean loss of its tokens, not synchronised.

    tokens: of the target, counted without padding. done: share of the training, from 0 to 1, at its
    start. norm: of the gradient before clipping.
    """

    number: int
    seconds: float
    done: float
    tokens: int
    loss: Tensor
    norm: Tensor
    learning_rate: float


class Evaluated(NamedTuple):
    """What was measured on held-out examples after so many steps.

    better: no weights before had a better score. going_on: False where the training ends for want
    of better ones.
    """

    step: int
    seconds: float
    scores: dict[str, float]
    better: bool = True
    going_on: bool = True


class Finished(NamedTuple):
    """The end, after so many steps and seconds of training."""

    step: int
    seconds: float


Event = Step | Evaluated | Finished


class Stopwatch:
    """Counts the seconds in which a training computes, and none in which it waits.

    seconds: that it has counted before. clock: what it reads, such as time.process_time for the
    seconds that the processor has given to this process.
    """

    def __init__(
        self, seconds: float = 0.0, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._before, self._clock = seconds, clock
        self._since: float | None = clock()

    @property
    def seconds(self) -> float:
        """The seconds until now."""
        running = 0.0 if self._since is None else self._clock() - self._since
        return self._before + running

    def pause(self) -> None:
        """Stop counting."""
        self._before, self._since = self.seconds, None

    def resume(self) -> None:
        """Count again."""
        if self._since is None:
            self._since = self._clock()


class Learner:
    """A model and what changes it: loss, gradient, clipping, Adam, and a running average.

    betas: of Adam (Kingma and Ba 2015, section 2). wrap: puts the objective into what shares
    gradients between processes.
    """

    def __init__(
        self,
        model: Seq2Seq,
        settings: TrainingSettings,
        betas: tuple[float, float] = (0.9, 0.98),
        wrap: Callable[[nn.Module], nn.Module] = lambda objective: objective,
    ) -> None:
        self.model, self.settings = model, settings
        self.device = next(model.parameters()).device
        extra = settings.ctc, settings.guide, settings.hide, settings.contrast
        self.objective = Objective(model, settings.label_smoothing, *extra)
        self.objective.to(self.device)
        self.parallel = wrap(self.objective)
        self.average = {name: w.detach().clone() for name, w in model.named_parameters()}
        self.optimizer = torch.optim.Adam(
            self.objective.parameters(), lr=0.0, betas=betas, fused=True
        )
        self.precision = precision_of(self.device, model.config.width)
        self.steps = 0
        self.last_norm = torch.zeros(())

    @property
    def norm(self) -> float:
        """Norm of the last gradient, before clipping."""
        return float(self.last_norm)

    def learning_rate(self, done: float) -> float:
        """Return the rate of the next step, which rises in a line, and then is as the schedule."""
        settings = self.settings
        warm = min(1.0, (self.steps + 1) / max(1, settings.warmup_steps))
        fallen = 1 - done if settings.schedule == "linear" else 1.0
        return settings.learning_rate * warm * fallen

    def step(self, batch: Batch, done: float) -> tuple[Tensor, Tensor]:
        """Take one step; returns the mean loss of the batch and the norm of its gradient."""
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(done)
        batch = batch.to(self.device)
        if settings.teacher_forcing < 1:
            batch = with_own_outputs(self.model, batch, settings.teacher_forcing)
        with torch.autocast(self.device.type, self.precision, self.precision is not torch.float32):
            loss = self.parallel(batch, done >= settings.guide_from)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.last_norm = nn.utils.clip_grad_norm_(self.objective.parameters(), settings.clip)
        self.optimizer.step()
        self.steps += 1
        self._update_average()
        return loss.detach(), self.last_norm

    @torch.no_grad()
    def _update_average(self) -> None:
        if not self.settings.averaging:
            return
        decay = min(self.settings.averaging, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_([*self.average.values()], [*self.model.parameters()], 1 - decay)

    def gradient_norms(self) -> dict[str, float]:
        """Return the norm of the last gradient, before clipping, in each part of the model.

        Parts are named as in the model: "encoder.stack", "decoder.attention" ...
        """
        squares: dict[str, Tensor] = {}
        for name, weight in self.model.named_parameters():
            if weight.grad is not None:
                part = ".".join(name.split(".")[:2])
                square = weight.grad.square().sum()
                squares[part] = squares[part] + square if part in squares else square
        clipped = max(1.0, self.norm / self.settings.clip)
        return {part: clipped * float(square) ** 0.5 for part, square in squares.items()}

    def swap(self) -> None:
        """Exchange the weights and their running average."""
        for name, weight in self.model.named_parameters():
            weight.data, self.average[name] = self.average[name], weight.data

    def change(self, learning_rate: float | None = None, dropout: float | None = None) -> None:
        """Change settings from the next step on; None leaves one as it is."""
        if learning_rate is not None:
            self.settings = replace(self.settings, learning_rate=learning_rate)
        if dropout is not None:
            set_dropout(self.model, dropout)


@dataclass
class Loop:
    """What a training is made of, beside its learner.

    batches: to be learnt from, one a step, as long as it takes. done: returns the share of the
    training that is done, of its clock. evaluation_due: tells after a step whether to evaluate.
    evaluate: measures at a share of the training. together: lets several processes agree on an end.
    """

    learner: Learner
    batches: Iterable[Batch]
    clock: Stopwatch
    done: Callable[[], float]
    evaluation_due: Callable[[], bool]
    evaluate: Callable[[float], Evaluated]
    together: Callable[[bool], bool] = bool

    def events(self) -> Iterator[Event]:
        """Train; between two events no time is counted, so that whoever reads them may wait."""
        for event in self._train():
            self.clock.pause()
            yield event
            self.clock.resume()

    def _train(self) -> Iterator[Event]:
        for batch in self.batches:
            done = self.done()
            if self.together(done >= 1):
                break
            yield self._step(batch, min(done, 1.0))
            if self.evaluation_due():
                evaluated = self.evaluate(done)
                yield evaluated
                if not evaluated.going_on:
                    break
        yield self.evaluate(1.0)
        yield Finished(self.learner.steps, self.clock.seconds)

    def _step(self, batch: Batch, done: float) -> Step:
        learner = self.learner
        learner.model.train()
        rate, tokens = learner.learning_rate(done), int((batch.labels != PAD).sum())
        loss, norm = learner.step(batch, done)
        return Step(learner.steps, self.clock.seconds, done, tokens, loss, norm, rate)


@torch.no_grad()
def with_own_outputs(model: Seq2Seq, batch: Batch, teacher_forcing: float) -> Batch:
    """Return a batch some of whose target tokens are what the model itself says there.

    teacher_forcing: share of the tokens that stay. The model's own come from one pass over the
    given ones (Mihaylova and Martins 2019, after Bengio et al. 2015).
    """
    logits = model(batch.source, batch.target, batch.mask)
    own = torch.cat([batch.target[:, :1], logits[:, :-1].argmax(dim=-1)], dim=1)
    taken = torch.rand(batch.target.shape, device=own.device) >= teacher_forcing
    return batch._replace(target=torch.where(taken & (batch.target != PAD), own, batch.target))


def set_dropout(model: nn.Module, share: float) -> None:
    """Drop another share of a model's numbers, from its next pass on."""
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = share
        elif isinstance(part, nn.RNNBase):
            part.dropout = share if part.num_layers > 1 else 0.0
        elif isinstance(part, MultiHead):
            part.dropout = share


def precision_of(device: torch.device, width: int) -> torch.dtype:
    """bfloat16 where the processor computes in it and the model is wide enough, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    native = np.any([torch.cpu._is_avx512_bf16_supported(), torch.cpu._is_amx_tile_supported()])
    return torch.bfloat16 if native and width > NARROW else torch.float32
