"""What pages ask a model for, as plain values, so that it can be computed here or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import Audio
from seq2seq.decoding.interventions import NOTHING, Interventions
from seq2seq.decoding.options import Options
from seq2seq.errors import UserError
from seq2seq.inference.pipeline import run
from seq2seq.inference.teacher_forcing import force
from seq2seq.trace import Trace

if TYPE_CHECKING:
    from seq2seq.decoding.search import OnStep

Load = Callable[[str], Checkpoint]


@dataclass(frozen=True, eq=False)
class Request:
    """One computation. checkpoint: by its name. options: None for those of its authors.

    target: an output that is recorded as if the model had written it, as text or tokens; None to
    search for one.
    """

    checkpoint: str
    source: str | Audio
    options: Options | None = None
    interventions: Interventions = NOTHING
    target: str | tuple[int, ...] | None = None

    def compute(self, checkpoint: Checkpoint, on_step: OnStep | None = None) -> Trace:
        """Compute it. on_step: see `seq2seq.run`. Raises UserError as `run` and `force` do."""
        changed: dict[str, Any] = {"self_attention": None, "interventions": self.interventions}
        if self.target is None:
            return run(checkpoint, self.source, self.options, on_step, **changed)
        return force(checkpoint, self.source, self.target, self.options, **changed)

    @property
    def group(self) -> tuple[Any, ...] | None:
        """What requests that can be computed in one batch have in common; None for none."""
        plain = isinstance(self.source, str) and self.target is None
        if not plain or self.interventions != NOTHING:
            return None
        return self.checkpoint, self.options


def compute_together(load: Load, requests: Sequence[Request]) -> list[Trace | UserError]:
    """Compute requests, like ones in one batch; what a request raises stands in its place."""
    groups: dict[object, list[int]] = {}
    for place, request in enumerate(requests):
        groups.setdefault(request.group or place, []).append(place)
    found: dict[int, Trace | UserError] = {}
    for places in groups.values():
        found.update(zip(places, _group(load, [requests[at] for at in places]), strict=True))
    return [found[place] for place in range(len(requests))]


def _group(load: Load, requests: Sequence[Request]) -> list[Trace | UserError]:
    first = requests[0]
    try:
        checkpoint = load(first.checkpoint)
        # A batch has no record of self-attention, which a recurrent net does not have at all.
        if len(requests) > 1 and checkpoint.model.config.self_attention_shape == (0, 0):
            texts = [str(request.source) for request in requests]
            return list(run(checkpoint, texts, first.options))
    except UserError as error:
        if len(requests) == 1:
            return [error]
    return [_one(load, request) for request in requests]


def _one(load: Load, request: Request) -> Trace | UserError:
    try:
        return request.compute(load(request.checkpoint))
    except UserError as error:
        return error
