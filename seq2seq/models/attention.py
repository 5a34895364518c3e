"""Attention: where a query looks in the memory. Every form returns (context, weights).

Knows no architecture. `prepare` computes once what does not depend on the query; the caller keeps
it, so that nothing is stored on a module.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Beyond so many rows of a single query the fused kernel is slower, on a CPU, than its parts.
FEW = 4


def attend(
    scores: Tensor,
    values: Tensor,
    mask: Tensor | None,
    change: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Softmax the scores over the positions that may be seen and average the values.

    scores: (..., queries, positions). values: (..., positions, width).
    mask: broadcasts to scores, True where a query may look; None lets it look everywhere.
    change: what is done to the weights before they are used.
    Returns the context (..., queries, width) and the weights (..., queries, positions), whose rows
    sum to 1 and are 0 outside the mask. Bahdanau et al. 2014, eq. 5-6.
    """
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    if change is not None:
        weights = change(weights)
    return weights @ values, weights


class Additive(nn.Module):
    """score(q, k) = v . tanh(W q + U k). Bahdanau et al. 2014, appendix A.1.2."""

    kind, dot_product = "additive", False

    def __init__(self, query_width: int, memory_width: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_width, width, bias=False)
        self.key = nn.Linear(memory_width, width)
        self.energy = nn.Linear(width, 1, bias=False)

    def prepare(self, states: Tensor) -> Tensor:
        """Project states (rows, source, memory width) to keys (rows, source, width)."""
        return self.key(states)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Score query (rows, target, query width) against keys: (rows, target, source)."""
        mixed = torch.tanh(self.query(query).unsqueeze(2) + keys.unsqueeze(1))
        return self.energy(mixed).squeeze(-1)


class Dot(nn.Module):
    """score(q, k) = q . k / sqrt(width), for queries as wide as the memory.

    Luong et al. 2015, eq. 8, scaled as in Vaswani et al. 2017, section 3.2.1: at widths of some
    hundreds the softmax saturates without it, and the model never learns to look.
    """

    kind, dot_product = "dot", True

    def prepare(self, states: Tensor) -> Tensor:
        """Return the states: the dot product needs no projection."""
        return states

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Score query (rows, target, width) against keys: (rows, target, source)."""
        return query @ keys.transpose(1, 2) / math.sqrt(keys.shape[-1])


class General(nn.Module):
    """score(q, k) = q . W k / sqrt(width). Luong et al. 2015, eq. 8, scaled like Dot."""

    kind, dot_product = "general", True

    def __init__(self, query_width: int, memory_width: int) -> None:
        super().__init__()
        self.key = nn.Linear(memory_width, query_width, bias=False)

    def prepare(self, states: Tensor) -> Tensor:
        """Project states (rows, source, memory width) to keys (rows, source, query width)."""
        return self.key(states)

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Score query (rows, target, query width) against keys: (rows, target, source)."""
        return query @ keys.transpose(1, 2) / math.sqrt(keys.shape[-1])


class AttentionStep(NamedTuple):
    """What several heads did: queries and contexts are (rows, heads, target, head width).

    scores, weights: (rows, heads, target, source), before and after the softmax.
    """

    queries: Tensor
    scores: Tensor
    weights: Tensor
    contexts: Tensor


class MultiHead(nn.Module):
    """Dot-product attention in several heads. Vaswani et al. 2017, section 3.2.

    head_width: 0 for width / heads. scaled: scores are divided by the root of the head's width, as
    everywhere but in T5 (Raffel et al. 2020), where the initial weights make up for it.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        dropout: float = 0.0,
        head_width: int = 0,
        bias: bool = True,
        scaled: bool = True,
    ) -> None:
        super().__init__()
        inner = heads * head_width or width
        self.heads = heads
        self.dropout = dropout
        self.scale = math.sqrt(heads / inner) if scaled else 1.0
        self.query = nn.Linear(width, inner, bias)
        self.key = nn.Linear(width, inner, bias)
        self.value = nn.Linear(width, inner, bias)
        self.output = nn.Linear(inner, width, bias)
        # Query, key and value in one, where a copy of the model has joined them.
        self.joint: nn.Module | None = None

    def prepare(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Project states (rows, positions, width) to keys and values by head.

        Each is (rows, heads, positions, head width).
        """
        return self._split(self.key(states)), self._split(self.value(states))

    def project(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values by head, for attention among the states themselves."""
        if self.joint is not None:
            parts = self.joint(states).chunk(3, dim=-1)
            return self._split(parts[0]), self._split(parts[1]), self._split(parts[2])
        return self._split(self.query(states)), *self.prepare(states)

    def queries(self, states: Tensor) -> Tensor:
        """Project states (rows, target, width) to queries (rows, heads, target, head width)."""
        return self._split(self.query(states))

    def forward(
        self,
        query: Tensor,
        keys: tuple[Tensor, Tensor],
        mask: Tensor | None,
        record: bool = False,
        bias: Tensor | None = None,
        change: Callable[[Tensor], Tensor] | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend from query (rows, target, width), or from queries that are projected by head.

        mask, and bias, which is added to the scores, broadcast to (rows, heads, target, source).
        Returns the context (rows, target, width) and, if recorded, the weights
        (rows, heads, target, source): the fused kernel that training uses does not give them.
        """
        queries, weights = query if query.dim() == 4 else self.queries(query), None
        alone = queries.shape[2] == 1 and len(queries) > FEW and not self.training
        if record or alone or change is not None:
            look = self.look(queries, keys, mask, bias, change)
            context, weights = look.contexts, look.weights
        else:
            drop = self.dropout if self.training else 0.0
            seen = mask
            if bias is not None:
                seen = bias if mask is None else bias.masked_fill(~mask, -math.inf)
            context = F.scaled_dot_product_attention(
                queries, *keys, attn_mask=seen, dropout_p=drop, scale=self.scale
            )
        return self.join(context), weights if record else None

    def look(
        self,
        query: Tensor,
        keys: tuple[Tensor, Tensor],
        mask: Tensor | None,
        bias: Tensor | None = None,
        change: Callable[[Tensor], Tensor] | None = None,
    ) -> AttentionStep:
        """Attend as forward does, head by head; returns every part of it."""
        queries = query if query.dim() == 4 else self.queries(query)
        scores = queries @ keys[0].transpose(2, 3) * self.scale
        scores = scores if bias is None else scores + bias
        contexts, weights = attend(scores, keys[1], mask, change)
        return AttentionStep(queries, scores, weights, contexts)

    def join(self, contexts: Tensor) -> Tensor:
        """Map the contexts of all heads (rows, heads, target, head width) to the model's width."""
        return self.output(contexts.transpose(1, 2).flatten(2))

    def _split(self, states: Tensor) -> Tensor:
        rows, count, width = states.shape
        return states.view(rows, count, self.heads, width // self.heads).transpose(1, 2)
