"""Transformer encoder and decoder (Vaswani et al. 2017). The key/value cache is the state.

Variants are switches, so that other people's weights fit into the same two classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.attention import MultiHead
from seq2seq.errors import UserError
from seq2seq.protocol import Memory, State, Step, Steps

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class Shape(NamedTuple):
    """The sizes and switches of one Transformer stack."""

    width: int
    layers: int
    heads: int
    feedforward: int
    activation: str = "relu"
    norm_first: bool = True
    dropout: float = 0.0


def sinusoids(start: int, stop: int, width: int, device: torch.device) -> Tensor:
    """Position vectors (stop - start, width), sine and cosine in turn. Section 3.5."""
    position = torch.arange(start, stop, device=device, dtype=torch.float32).unsqueeze(1)
    pair = torch.arange(0, width, 2, device=device, dtype=torch.float32)
    angle = position * torch.exp(pair * (-math.log(10_000.0) / width))
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :width]


class Embedding(nn.Module):
    """Token vectors, scaled by the root of the width, plus position vectors."""

    def __init__(
        self, tokens: nn.Embedding, positions: nn.Embedding | None, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.tokens = tokens
        self.positions = positions
        self.dropout = nn.Dropout(dropout)

    def forward(self, ids: Tensor, start: int = 0) -> Tensor:
        """Embed ids (rows, time), the first of which stands at position `start`.

        Raises UserError beyond the positions that were learnt.
        """
        width, stop = self.tokens.embedding_dim, start + ids.shape[1]
        if self.positions is None:
            positions = sinusoids(start, stop, width, ids.device)
        elif stop <= len(self.positions.weight):
            positions = self.positions.weight[start:stop]
        else:
            most = len(self.positions.weight)
            raise UserError(f"This model has learnt {most} positions: keep texts and output below.")
        return self.dropout(self.tokens(ids) * math.sqrt(width) + positions)


class Residual(nn.Module):
    """x + block(norm(x)), or norm(x + block(x)) in the original order. Section 3.1."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.width)
        self.norm_first = shape.norm_first
        self.dropout = nn.Dropout(shape.dropout)

    def enter(self, states: Tensor) -> Tensor:
        """Return what the block reads."""
        return self.norm(states) if self.norm_first else states

    def leave(self, states: Tensor, change: Tensor) -> Tensor:
        """Add what the block returned."""
        states = states + self.dropout(change)
        return states if self.norm_first else self.norm(states)


class FeedForward(nn.Module):
    """Two linear layers at each position. Section 3.3."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.inner = nn.Linear(shape.width, shape.feedforward)
        self.outer = nn.Linear(shape.feedforward, shape.width)
        self.activation = ACTIVATIONS[shape.activation]
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, states: Tensor) -> Tensor:
        """Map states (rows, time, width) to the same shape."""
        return self.outer(self.dropout(self.activation(self.inner(states))))


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention = MultiHead(shape.width, shape.heads, shape.dropout)
        self.around_attention = Residual(shape)
        self.feedforward = FeedForward(shape)
        self.around_feedforward = Residual(shape)

    def forward(self, states: Tensor, mask: Tensor, record: bool) -> tuple[Tensor, Tensor | None]:
        """Map states (rows, source, width); returns them with the recorded weights."""
        query = self.around_attention.enter(states)
        change, weights = self.attention(query, self.attention.prepare(query), mask, record)
        states = self.around_attention.leave(states, change)
        change = self.feedforward(self.around_feedforward.enter(states))
        return self.around_feedforward.leave(states, change), weights


class DecoderLayer(nn.Module):
    """Self-attention over what was written, attention over the source, feed-forward block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attention = MultiHead(shape.width, shape.heads, shape.dropout)
        self.around_self_attention = Residual(shape)
        self.attention = MultiHead(shape.width, shape.heads, shape.dropout)
        self.around_attention = Residual(shape)
        self.feedforward = FeedForward(shape)
        self.around_feedforward = Residual(shape)

    def prepare(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Project the encoder's states to keys and values."""
        return self.attention.prepare(states)

    def forward(
        self,
        states: Tensor,
        past: tuple[Tensor, Tensor],
        causal: Tensor | None,
        source: tuple[tuple[Tensor, Tensor], Tensor],
        record: bool,
    ) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor, tuple[Tensor | None, Tensor | None]]:
        """Map states (rows, target, width) given past keys and values and (source keys, mask).

        Returns the states, the longer past, the context and the (cross, self) weights.
        """
        query = self.around_self_attention.enter(states)
        keys, values = self.self_attention.prepare(query)
        past = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        change, self_weights = self.self_attention(query, past, causal, record)
        states = self.around_self_attention.leave(states, change)
        query = self.around_attention.enter(states)
        context, weights = self.attention(query, source[0], source[1], record)
        states = self.around_attention.leave(states, context)
        change = self.feedforward(self.around_feedforward.enter(states))
        states = self.around_feedforward.leave(states, change)
        return states, past, context, (weights, self_weights)


class TransformerEncoder(nn.Module):
    """Every position reads every other one, in each layer."""

    def __init__(self, embedding: Embedding, shape: Shape) -> None:
        super().__init__()
        self.embedding = embedding
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width) if shape.norm_first else nn.Identity()

    def forward(self, source: Tensor, mask: Tensor, record: bool = False) -> Memory:
        """Encode source (rows, source) of ids."""
        states, recorded = self.embedding(source), []
        visible = mask[:, None, None, :]
        for layer in self.layers:
            states, weights = layer(states, visible, record)
            recorded.append(weights)
        weights = torch.stack(recorded, dim=1) if record else None
        return Memory(self.norm(states), mask, weights=weights)


class TransformerDecoder(nn.Module):
    """Its state is, for each layer, the keys and values of what it has read so far.

    The context vector of a step is what the top layer's attention brought from the source.
    """

    def __init__(self, embedding: Embedding, shape: Shape, output: nn.Linear) -> None:
        super().__init__()
        self.embedding = embedding
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width) if shape.norm_first else nn.Identity()
        self.output = output

    def prepare(self, memory: Memory) -> State:
        """Project the memory to each layer's keys and values."""
        layers = cast("list[DecoderLayer]", list(self.layers))
        return tuple(layer.prepare(memory.states) for layer in layers)

    def start(self, memory: Memory) -> State:
        """Return an empty past for each layer."""
        return tuple((keys[:, :, :0], values[:, :, :0]) for keys, values in memory.keys)

    def step(self, tokens: Tensor, state: State, memory: Memory) -> Step:
        """Read tokens (rows,) and score the next ones."""
        steps, state = self._read(tokens.unsqueeze(1), state, memory, record=True)
        assert steps.weights is not None
        first = (part[:, 0] for part in (steps.hidden, steps.context, steps.weights))
        return Step(steps.logits[:, 0], state, *first)

    def forward(self, target: Tensor, memory: Memory, record: bool = False) -> Steps:
        """Read target (rows, target) under teacher forcing."""
        return self._read(target, self.start(memory), memory, record)[0]

    def _read(
        self, target: Tensor, state: State, memory: Memory, record: bool
    ) -> tuple[Steps, State]:
        start, count = state[0][0].shape[2], target.shape[1]
        states = self.embedding(target, start)
        causal = None
        if count > 1:
            everything = torch.ones(count, start + count, dtype=torch.bool, device=target.device)
            causal = everything.tril(diagonal=start)
        new_state, recorded = [], []
        for layer, past, keys in zip(self.layers, state, memory.keys, strict=True):
            source = keys, memory.mask[:, None, None, :]
            states, past, context, weights = layer(states, past, causal, source, record)
            new_state.append(past)
            recorded.append(weights)
        hidden = self.norm(states)
        weights = (_by_step(part) for part in zip(*recorded, strict=True))
        return Steps(self.output(hidden), hidden, context, *weights), tuple(new_state)


def _by_step(layers: tuple[Tensor, ...]) -> Tensor | None:
    """Stack (rows, heads, target, positions) to (rows, target, layers, heads, positions)."""
    return None if layers[0] is None else torch.stack(layers, dim=1).permute(0, 3, 1, 2, 4)
