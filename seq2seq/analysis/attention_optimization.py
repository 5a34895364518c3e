"""Where a step would have to look to write a given token: the row is found by gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.interventions import NOTHING, AttentionEdit, Interventions
from seq2seq.errors import UserError
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.models.protocol import Change, Decoder, Memory
from seq2seq.trace import Trace

ROUNDS, RATE = 80, 0.3


class Row(NamedTuple):
    """An attention row: of which step, layer and head, from 0; None for all layers or heads."""

    step: int
    layer: int | None = None
    head: int | None = None


class Steered(NamedTuple):
    """The row that was found. before, after: probability of the token with the model's own row and
    with this one.
    """

    edit: AttentionEdit
    before: float
    after: float


def steer(
    checkpoint: Checkpoint,
    trace: Trace,
    row: Row,
    token: int,
    changes: Interventions = NOTHING,
    on_round: Callable[[int, int], object] = lambda done, total: None,
) -> Steered:
    """Find the weights of an attention row that make a token most probable at its step.

    The output before the step stays. changes: made beside, and before it. on_round is called with
    the rounds done and their number, and stops the search for better weights by returning True.
    Raises UserError for a model without attention, and for a token or step that is not there.
    """
    attention = _attention(checkpoint, trace, row.step, token)
    changes.check(len(trace.source), *attention.shape[1:3])
    here = _prepared(checkpoint, trace, row, token, changes)
    own = torch.tensor(attention[row.step].mean(axis=(0, 1)), device=checkpoint.device)
    with torch.no_grad():
        before = float(here.log_probability(None))
    ids = torch.tensor([trace.source.ids], device=checkpoint.device)
    unseen = ~changes.mask(ids != checkpoint.model.config.pad)[0]
    found, best = _optimized(here, own, unseen, on_round)
    edit = AttentionEdit(row.step, tuple(found.double().tolist()), row.layer, row.head)
    return Steered(edit, math.exp(before), math.exp(best))


def _attention(checkpoint: Checkpoint, trace: Trace, step: int, token: int) -> np.ndarray:
    """Return the attention of a trace, or raise UserError where nothing can be steered by it."""
    if trace.attention is None:
        raise UserError("This model has no attention, so nothing can be steered by it.")
    known = 0 <= token < checkpoint.model.config.vocabulary
    if not known or not 0 <= step < len(trace.target):
        raise UserError("This word is not one that the model can write here: choose another.")
    if trace.position_seconds:
        raise UserError("A recording cannot be steered: choose a model that reads text.")
    return trace.attention.astype(np.float32)


class _Prepared(NamedTuple):
    """A decoder just before a step, and what is changed and asked for there."""

    decoder: Decoder
    state: Any
    memory: Memory
    last: Tensor
    row: Row
    token: int
    change: Change | None

    def log_probability(self, weights: Tensor | None) -> Tensor:
        """Return that of the token, with these weights (source,) in the row, None for its own."""

        def change(layer: int, given: Tensor) -> Tensor:
            given = given if self.change is None else self.change(layer, given)
            if weights is None or self.row.layer not in (None, layer):
                return given
            heads = torch.arange(given.shape[1], device=given.device)
            mine = torch.ones_like(heads, dtype=torch.bool)
            mine = mine if self.row.head is None else heads == self.row.head
            return torch.where(mine[None, :, None, None], weights, given)

        step = self.decoder.step(self.last, self.state, self.memory, True, change)
        return step.logits[0].float().log_softmax(dim=-1)[self.token]


@torch.no_grad()
def _prepared(
    checkpoint: Checkpoint, trace: Trace, row: Row, token: int, changes: Interventions
) -> _Prepared:
    decoder, device = checkpoint.model.decoder, checkpoint.device
    start = decoder_prompt(checkpoint, trace.options).start
    read = torch.tensor([*start, *trace.target.ids[: row.step]], device=device)
    memory = changes.encode(checkpoint.model, torch.tensor([trace.source.ids], device=device))
    state = decoder.start(memory)
    for number in range(len(read) - 1):
        made = changes.at(number + 1 - len(start))
        state = decoder.step(read[number : number + 1], state, memory, True, made).state
    return _Prepared(decoder, state, memory, read[-1:], row, token, changes.at(row.step))


def _optimized(
    here: _Prepared, own: Tensor, unseen: Tensor, on_round: Callable[[int, int], object]
) -> tuple[Tensor, float]:
    """Return the best weights that were found, and the log-probability that they reach.

    own, unseen: (source,), what to begin with, and where nothing may be.
    """
    scores = own.clamp(min=1e-4).log().masked_fill(unseen, -math.inf).requires_grad_()
    optimizer = torch.optim.Adam([scores], lr=RATE)
    best, found = -math.inf, own.masked_fill(unseen, 0.0)
    with torch.enable_grad():
        for done in range(ROUNDS):
            weights = scores.softmax(dim=0)
            value = here.log_probability(weights)
            if float(value.detach()) > best:
                best, found = float(value.detach()), weights.detach()
            if on_round(done + 1, ROUNDS):
                break
            optimizer.zero_grad()
            (-value).backward()
            optimizer.step()
    return found, best
