"""What a search keeps of its steps, so that its best output need not be gone through once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq.decoding.top_scores import top
from seq2seq.models.protocol import Step

MOST_BYTES = 100_000_000  # that are kept of a search


class Keeping(NamedTuple):
    """What to keep. alternatives: of the most probable tokens; own: self-attention too."""

    alternatives: int
    own: bool = False


class StepValues(NamedTuple):
    """What the network did at a step, or at several, (rows or target, ...) each.

    ids, values: (rows, alternatives), the most probable tokens and their log-probabilities.
    hidden, context, weights, self_weights, copying: as Step has them.
    """

    ids: Tensor
    values: Tensor
    hidden: Tensor
    context: Tensor
    weights: Tensor | None
    self_weights: Tensor | None
    copying: Tensor | None


class Observed(NamedTuple):
    """What the network did at each step of one output.

    log_probabilities, ranks: (target,), of each token as the model gave it; rank from 0. steps:
    (target, ...) each.
    """

    log_probabilities: Tensor
    ranks: Tensor
    steps: StepValues


class StepLog:
    """The steps of one search. given: tokens that the decoder has read before the first of them."""

    def __init__(self, keeping: Keeping, given: int) -> None:
        self.keeping, self.given, self.bytes = keeping, given, 0
        self.steps: list[StepValues] = []

    def add(self, step: Step, log_probabilities: Tensor) -> bool:
        """Keep a step with its log-probabilities (rows, vocabulary), before any is forbidden.

        Returns False where it is too much in all: the log is then of no use any more.
        """
        own = step.self_weights
        count = min(self.keeping.alternatives, log_probabilities.shape[1])
        values, ids = top(log_probabilities, count)
        own = own[..., self.given :] if self.keeping.own and own is not None else None
        kept = StepValues(ids, values, step.hidden, step.context, step.weights, own, step.copying)
        self.steps.append(kept)
        self.bytes += sum(part.nbytes for part in kept if part is not None)
        return self.bytes <= MOST_BYTES

    def along(self, rows: np.ndarray, tokens: Sequence[int]) -> Observed | None:
        """Return what was kept of an output. rows: (target,), the row that wrote each token.

        None where a token is not among the alternatives of its step: it was not kept how probable
        the model found it.
        """
        places = rows.tolist()
        path = [
            [None if part is None else part[row] for part in step]
            for step, row in zip(self.steps, places, strict=False)
        ]
        kept = StepValues._make(map(stacked, zip(*path, strict=True)))
        same = kept.ids == torch.tensor([tokens], device=kept.ids.device).T
        if not bool(same.any(dim=1).all()):
            return None
        chosen = kept.values[same]
        return Observed(chosen, (kept.values > chosen[:, None]).sum(dim=1), kept)


@dataclass(frozen=True, eq=False)
class Trails:
    """Where the outputs of one source stand in the log of a search.

    rows: of each output, by its last node, the rows (target,) that wrote its tokens.
    """

    log: StepLog
    rows: dict[int, np.ndarray]

    def observed(self, node: int, tokens: Sequence[int]) -> Observed | None:
        """Return what the network did on the way to an output; None as StepLog.along does."""
        return self.log.along(self.rows[node], tokens)


def stacked(parts: Sequence[Tensor | None]) -> Tensor | None:
    """Stack what all steps have (..., seen); what is seen may grow, to the widest."""
    present = [part for part in parts if part is not None]
    if not present:
        return None
    if not present[0].dim():
        return torch.stack(present)
    last = max(part.shape[-1] for part in present)
    return torch.stack([F.pad(part, (0, last - part.shape[-1])) for part in present])
