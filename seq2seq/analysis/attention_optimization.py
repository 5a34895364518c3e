"""Where a step would have to look to say a given token: the row is found by gradient.

The attention of a step is a lever on its output; this finds the strongest pull.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.interventions import NOTHING, AttentionEdit, Interventions
from seq2seq.errors import UserError
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.trace import Trace

ROUNDS, RATE = 80, 0.3


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
    step: int,
    token: int,
    layer: int | None = None,
    head: int | None = None,
    changes: Interventions = NOTHING,
    on_round: Callable[[int, int], object] = lambda done, total: None,
) -> Steered:
    """Find the attention row of a step, from 0, that makes a token most probable there.

    layer, head: where it is put in, None for all. The output before the step stays. changes: made
    beside, and before it. on_round is called with the rounds done and their number, and stops the
    search for a better row by returning True. Raises UserError for a model without attention, and
    for a token or step that is not there.
    """
    config = checkpoint.model.config
    if trace.attention is None:
        raise UserError("This model has no attention, so nothing can be steered by it.")
    if not 0 <= token < config.vocabulary or not 0 <= step < len(trace.target):
        raise UserError("This word is not one that the model can say here: choose another.")
    if trace.position_seconds:
        raise UserError("A recording cannot be steered: choose a model that reads text.")
    changes.check(len(trace.source), *trace.attention.shape[1:3])
    decoder, device = checkpoint.model.decoder, checkpoint.device
    start = decoder_prompt(checkpoint, trace.options).start
    read = [*start, *trace.target.ids[:step]]
    ids = torch.tensor([trace.source.ids], device=device)
    with torch.no_grad():
        memory = changes.encode(checkpoint.model, ids)
        state = decoder.start(memory)
        for number, each in enumerate(read[:-1]):
            made = changes.at(number + 1 - len(start))
            state = decoder.step(
                torch.tensor([each], device=device), state, memory, True, made
            ).state
    last, made_here = torch.tensor([read[-1]], device=device), changes.at(step)
    unseen = ~changes.mask(ids != checkpoint.model.config.pad)[0]

    def log_probability(row: torch.Tensor | None) -> torch.Tensor:
        def change(here: int, weights: torch.Tensor) -> torch.Tensor:
            weights = weights if made_here is None else made_here(here, weights)
            if row is None or layer not in (None, here):
                return weights
            heads = torch.arange(weights.shape[1], device=device)
            mine = torch.ones_like(heads, dtype=torch.bool) if head is None else heads == head
            return torch.where(mine[None, :, None, None], row, weights)

        logits = decoder.step(last, state, memory, True, change).logits[0].float()
        return logits.log_softmax(dim=-1)[token]

    own = torch.tensor(trace.attention[step].astype("float32").mean(axis=(0, 1)), device=device)
    with torch.no_grad():
        before = float(log_probability(None))
    scores = own.clamp(min=1e-4).log().masked_fill(unseen, -math.inf).requires_grad_()
    optimizer = torch.optim.Adam([scores], lr=RATE)
    best, found = -math.inf, own.masked_fill(unseen, 0.0)
    with torch.enable_grad():
        for done in range(ROUNDS):
            row = scores.softmax(dim=0)
            value = log_probability(row)
            reached = float(value.detach())
            if reached > best:
                best, found = reached, row.detach()
            if on_round(done + 1, ROUNDS):
                break
            optimizer.zero_grad()
            (-value).backward()
            optimizer.step()
    weights = tuple(found.double().tolist())
    edit = AttentionEdit(step, weights, layer, head)
    return Steered(edit, math.exp(before), math.exp(best))
