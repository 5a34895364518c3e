"""What a search leaves behind: its outputs and the tree in which it found them. No torch needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from seq2seq.trace_json import ArrayOf

Whole = Annotated[np.ndarray, ArrayOf(np.int64, 1)]
Real = Annotated[np.ndarray, ArrayOf(np.float64, 1)]

STATUSES = ("kept", "finished", "pruned")
ACTIVE, FINISHED, PRUNED = range(3)


@dataclass(frozen=True)
class Hypothesis:
    """One output. tokens end with EOS where it is finished.

    log_probabilities: of each token, as the model gave it. score: what hypotheses are ranked by.
    node: its last node in the beam tree. discount: what was taken off the sum of these for being
    likely after any source, lambda log P(output); 0 where nothing was.
    """

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    score: float
    finished: bool
    node: int
    discount: float = 0.0


@dataclass(frozen=True, eq=False)
class BeamTree:
    """Every candidate that was ranked, pruned ones too; all arrays are (nodes,).

    step: from 0. parent: number of the node before, -1 for a first token. token: its id.
    log_probability: of the token; cumulative: of the whole path; score: as ranked at its length.
    rank: among the candidates of its step, from 0. status: index into STATUSES.
    """

    step: Whole
    parent: Whole
    token: Whole
    log_probability: Real
    cumulative: Real
    score: Real
    rank: Whole
    status: Whole

    def path(self, node: int) -> list[int]:
        """Return the nodes from a first token to this node."""
        nodes = [node]
        while self.parent[nodes[-1]] >= 0:
            nodes.append(int(self.parent[nodes[-1]]))
        return nodes[::-1]
