"""Attention: where a query looks in the memory. `attend` turns scores into context and weights.

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

# On a CPU the fused kernel is slower than its parts for few queries over a long source, and for
# single queries of more than so many rows.
ROWS, FEW, LONG = 4, 8, 256
BLOCK = 256  # queries over a long source that are compared at once: their scores stay in the cache


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
    if weights.shape[-2] == 1 and values.mT.is_contiguous():
        return (values.mT @ weights.mT).mT, weights
    return (weights.to(values.dtype) @ values).to(weights.dtype), weights


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

    Luong et al. 2015, section 3.1, scaled as in Vaswani et al. 2017, section 3.2.1: at widths of
    some hundreds the softmax saturates without it, and the model never learns to look.
    """

    kind, dot_product = "dot", True

    def prepare(self, states: Tensor) -> Tensor:
        """Return the states: the dot product needs no projection."""
        return states

    def scores(self, query: Tensor, keys: Tensor) -> Tensor:
        """Score query (rows, target, width) against keys: (rows, target, source)."""
        return query @ keys.transpose(1, 2) / math.sqrt(keys.shape[-1])


class General(nn.Module):
    """score(q, k) = q . W k / sqrt(width). Luong et al. 2015, section 3.1, scaled like Dot."""

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


def _in_parts(queries: Tensor, keys: Tensor) -> bool:
    """Tell whether attention by head is faster without the fused kernel."""
    rows, _, count, _ = queries.shape
    return (count == 1 and rows > ROWS) or (count <= FEW and keys.shape[2] >= LONG)


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
        # What keys and values of a long source are rounded to, where a copy of the model does so.
        self.rounded: torch.dtype | None = None

    def prepare(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Project states (rows, positions, width) to keys and values by head.

        Each is (rows, heads, positions, head width).
        """
        return self._round(self._split(self.key(states)), self._split(self.value(states)))

    def project(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values by head, for attention among the states themselves."""
        if self.joint is not None:
            query, key, value = (self._split(p) for p in self.joint(states).chunk(3, dim=-1))
            return query, *self._round(key, value)
        return self._split(self.query(states)), *self.prepare(states)

    def _round(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        if self.rounded is None or keys.shape[2] < LONG:
            return keys, values
        return keys.to(self.rounded), values.to(self.rounded)

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
        if record or change is not None or (not self.training and _in_parts(queries, keys[0])):
            look = self.look(queries, keys, mask, bias, change)
            context, weights = look.contexts, look.weights
        elif keys[0].dtype != queries.dtype:
            context = self._look_in_blocks(queries, keys, mask, bias)
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
        scores = ((queries * self.scale).to(keys[0].dtype) @ keys[0].mT).to(queries.dtype)
        scores = scores if bias is None else scores + bias
        contexts, weights = attend(scores, keys[1], mask, change)
        return AttentionStep(queries, scores, weights, contexts)

    def _look_in_blocks(
        self,
        queries: Tensor,
        keys: tuple[Tensor, Tensor],
        mask: Tensor | None,
        bias: Tensor | None,
    ) -> Tensor:
        """Return the contexts of many queries over keys and values that are rounded."""
        found = []
        for start in range(0, queries.shape[2], BLOCK):
            block = (queries[:, :, start : start + BLOCK] * self.scale).to(keys[0].dtype)
            scores = block @ keys[0].mT
            if bias is not None:
                scores = scores.to(queries.dtype) + bias[:, :, start : start + BLOCK]
            if mask is not None:  # of the source: the same for all queries
                scores = scores.masked_fill(~mask, -math.inf)
            found.append(scores.softmax(dim=-1).to(keys[1].dtype) @ keys[1])
        return torch.cat(found, dim=2).to(queries.dtype)

    def join(self, contexts: Tensor) -> Tensor:
        """Map the contexts of all heads (rows, heads, target, head width) to the model's width."""
        return self.output(contexts.transpose(1, 2).flatten(2))

    def _split(self, states: Tensor) -> Tensor:
        rows, count, width = states.shape
        return states.view(rows, count, self.heads, width // self.heads).transpose(1, 2)
