"""What encoder, decoder and search agree on: the memory of a source, a decoder's state, one step.

Rows come first everywhere. A row is one source while encoding, one hypothesis while searching.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

# A tensor, None, or any nesting of tuples of them; every tensor has the rows as first dimension.
State = Any
# Changes, in a layer, the cross-attention (rows, heads, 1, source) of a step; a recurrent decoder
# has one layer and one head.
Change = Callable[[int, Tensor], Tensor]


class Sharing(NamedTuple):
    """Hypotheses that read a memory of fewer rows, several of them the same one.

    most: how many read a row at most. places: (hypotheses,), where each stands in a table of
    (memory rows * most); None where every row has as many, side by side.
    """

    most: int
    places: Tensor | None = None

    def gather(self, rows: Tensor, count: int) -> Tensor:
        """Put rows (hypotheses, ...) into a table (count, most, ...), 0 where nobody reads."""
        if self.places is None:
            return rows.unflatten(0, (count, self.most))
        table = rows.new_zeros(count * self.most, *rows.shape[1:])
        return table.index_copy_(0, self.places, rows).unflatten(0, (count, self.most))

    def spread(self, table: Tensor) -> Tensor:
        """Take a table (memory rows, most, ...) apart again: (hypotheses, ...)."""
        rows = table.flatten(0, 1)
        return rows if self.places is None else rows.index_select(0, self.places)


class Memory(NamedTuple):
    """What the encoder hands to the decoder.

    states: (rows, source, width), one vector h_t for each source position.
    mask: (rows, source), True where there is a token and False on padding.
    final: the last state of each recurrent layer, () for a Transformer.
    keys: what the decoder computes once from the states (projected keys, values).
    weights: (rows, layers, heads, source, source) self-attention if recorded, else None.
    source: (rows, source), the ids that a recurrent encoder has read, for a decoder that copies
    them; else None.
    sharing: how hypotheses read it where they are not a row each, see Decoder.share; else None.
    """

    states: Tensor
    mask: Tensor
    final: State = ()
    keys: State = ()
    weights: Tensor | None = None
    source: Tensor | None = None
    sharing: Sharing | None = None


class Step(NamedTuple):
    """One decoder step.

    logits: (rows, vocabulary), before the softmax.
    state: what the next step takes.
    hidden: (rows, width), the decoder state s_t of the top layer.
    context: (rows, width), the context vector c_t that the step looked at.
    weights: (rows, layers, heads, source) cross-attention, None without attention and perhaps
    where recording was not asked for.
    self_weights: (rows, layers, heads, tokens read so far), None for recurrent decoders and where
    recording was not asked for.
    copying: (rows,), the probability with which the step copies a source token; None where the
    decoder never does.
    """

    logits: Tensor
    state: State
    hidden: Tensor
    context: Tensor
    weights: Tensor | None
    self_weights: Tensor | None = None
    copying: Tensor | None = None


class Steps(NamedTuple):
    """All steps of a teacher-forced pass: as in Step, with a dimension of target steps after rows.

    self_weights: (rows, target, layers, heads, target), None for recurrent decoders.
    Weights of a Transformer are None unless recording was asked for.
    """

    logits: Tensor
    hidden: Tensor
    context: Tensor
    weights: Tensor | None = None
    self_weights: Tensor | None = None
    copying: Tensor | None = None


class Decoder(Protocol):
    """Target tokens, one after the other, given the memory. The state belongs to the caller."""

    def prepare(self, memory: Memory) -> State:
        """Compute what every step needs from the memory, once: the `keys` of the memory."""
        ...

    def start(self, memory: Memory) -> State:
        """Return the state before the first token."""
        ...

    def share(self, memory: Memory, owners: Tensor) -> Memory:
        """Return the memory for hypotheses of which each reads the row owners (hypotheses,) names.

        Owners ascend and leave no row out. The memory given has a row for each source.
        """
        ...

    def prefill(self, tokens: Tensor, state: State, memory: Memory) -> State:
        """Read tokens (rows, count) that are given, and return the state after them."""
        ...

    def step(
        self,
        tokens: Tensor,
        state: State,
        memory: Memory,
        record: bool = True,
        change: Change | None = None,
    ) -> Step:
        """Read tokens (rows,), the previous outputs, and score the next ones.

        change: of what is looked at in this step.
        """
        ...

    def forward(self, target: Tensor, memory: Memory, record: bool = False) -> Steps:
        """Read target (rows, target) under teacher forcing; equals the stacked steps."""
        ...


def select(state: State, rows: Tensor) -> State:
    """Take the given rows of every tensor in a state or memory: re-orders, drops and repeats beams.

    rows: (new rows,) indices. Not for a memory that is shared.
    """
    if state is None:
        return state
    if isinstance(state, torch.Tensor):
        return state.index_select(0, rows)
    assert isinstance(state, tuple)
    parts = (select(part, rows) for part in state)
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
