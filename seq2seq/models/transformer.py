"""Transformer encoder and decoder (Vaswani et al. 2017). The key/value cache is the state.

Variants are switches, so that other people's weights fit into the same two classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.models.attention import LONG, MultiHead
from seq2seq.models.embeddings import Embedding
from seq2seq.models.protocol import Change, Memory, Sharing, State, Step, Steps

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
}


class StackConfig(NamedTuple):
    """The sizes and switches of one Transformer stack.

    head_width: 0 for width / heads. gated: the inner layer of the feed-forward block is a product
    of two (Shazeer 2020). norm: "layer" or "rms" (Zhang and Sennrich 2019). bias, scaled: of the
    linear layers, see MultiHead. buckets, distance: of RelativeBias, 0 buckets for none;
    bias_each: every layer has one of its own.
    """

    width: int
    layers: int
    heads: int
    feedforward: int
    activation: str = "relu"
    norm_first: bool = True
    dropout: float = 0.0
    head_width: int = 0
    gated: bool = False
    norm: str = "layer"
    epsilon: float = 1e-5
    bias: bool = True
    scaled: bool = True
    buckets: int = 0
    distance: int = 128
    bias_each: bool = False


class RelativeBias(nn.Module):
    """A learned number for each head and distance, added to the scores. Raffel et al. 2020, 2.1.

    Distances share buckets: the near ones have one each, the far ones, up to `distance`, ever wider
    ones. Looking back only, all buckets are for positions before.
    """

    def __init__(self, buckets: int, distance: int, heads: int, both_ways: bool) -> None:
        super().__init__()
        self.values = nn.Embedding(buckets, heads)
        self.distance = distance
        self.both_ways = both_ways

    def forward(self, start: int, stop: int, device: torch.device) -> Tensor:
        """Return the bias (1, heads, stop - start, stop) of queries from `start` on."""
        query = torch.arange(start, stop, device=device).unsqueeze(1)
        ahead = torch.arange(stop, device=device) - query
        count = self.values.num_embeddings // (2 if self.both_ways else 1)
        away = ahead.abs() if self.both_ways else (-ahead).clamp(min=0)
        near = count // 2
        far = torch.log(away.clamp(min=1).float() / near) / math.log(self.distance / near)
        wide = (near + (far * (count - near)).long()).clamp(max=count - 1)
        bucket = torch.where(away < near, away, wide)
        if self.both_ways:
            bucket = bucket + count * (ahead > 0)
        return self.values(bucket).permute(2, 0, 1).unsqueeze(0)


def norm(config: StackConfig) -> nn.Module:
    """Return a fresh normalisation layer."""
    kind = nn.RMSNorm if config.norm == "rms" else nn.LayerNorm
    return kind(config.width, eps=config.epsilon)


class Residual(nn.Module):
    """x + block(norm(x)), or norm(x + block(x)) in the original order. Section 3.1."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.norm = norm(config)
        self.norm_first = config.norm_first
        self.dropout = nn.Dropout(config.dropout)

    def enter(self, states: Tensor) -> Tensor:
        """Return what the block reads."""
        return self.norm(states) if self.norm_first else states

    def leave(self, states: Tensor, change: Tensor) -> Tensor:
        """Add what the block returned."""
        states = states + self.dropout(change)
        return states if self.norm_first else self.norm(states)


class FeedForward(nn.Module):
    """Two linear layers at each position, the inner one gated or not. Section 3.3."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(config.width, config.feedforward, config.bias)
        gated = config.gated
        self.gate = nn.Linear(config.width, config.feedforward, config.bias) if gated else None
        self.outer = nn.Linear(config.feedforward, config.width, config.bias)
        self.activation = ACTIVATIONS[config.activation]
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, states: Tensor) -> Tensor:
        """Map states (rows, time, width) to the same shape."""
        return self.outer(self.dropout(self.activate(states)))

    def activate(self, states: Tensor) -> Tensor:
        """Return the inner layer (rows, time, inner width)."""
        if self.gate is None:
            return self.activation(self.inner(states))
        return self.activation(self.gate(states)) * self.inner(states)


def multi_head(config: StackConfig) -> MultiHead:
    """Return fresh attention of a stack's sizes."""
    return MultiHead(
        config.width, config.heads, config.dropout, config.head_width, config.bias, config.scaled
    )


# What is done to weights (rows, heads, 1, source) before they are used.
Edit = Callable[[Tensor], Tensor]
Biases = RelativeBias | nn.ModuleList | None


def relative_bias(config: StackConfig, both_ways: bool) -> Biases:
    """Return the bias that all layers of a stack share, or one for each, as in UMT5, or none."""
    if not config.buckets:
        return None
    sizes = config.buckets, config.distance, config.heads, both_ways
    if config.bias_each:
        return nn.ModuleList(RelativeBias(*sizes) for _ in range(config.layers))
    return RelativeBias(*sizes)


def biases_of(
    bias: Biases, layers: int, start: int, stop: int, device: torch.device
) -> Sequence[Tensor | None]:
    """Return the bias of each layer for queries from `start` on, see RelativeBias."""
    if isinstance(bias, nn.ModuleList):
        return [each(start, stop, device) for each in bias]
    return [None if bias is None else bias(start, stop, device)] * layers


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward block."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.attention = multi_head(config)
        self.attention_residual = Residual(config)
        self.feedforward = FeedForward(config)
        self.feedforward_residual = Residual(config)

    def forward(
        self, states: Tensor, mask: Tensor | None, record: bool, bias: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Map states (rows, source, width); returns them with the recorded weights."""
        query, *keys = self.attention.project(self.attention_residual.enter(states))
        change, weights = self.attention(query, keys, mask, record, bias)
        states = self.attention_residual.leave(states, change)
        change = self.feedforward(self.feedforward_residual.enter(states))
        return self.feedforward_residual.leave(states, change), weights


class SourceKeys(NamedTuple):
    """What a layer reads the source by: keys and values by head, mask (rows, 1, 1, source) or None
    where all may be seen, and how hypotheses share the rows of these, if they do.
    """

    keys: tuple[Tensor, Tensor]
    mask: Tensor | None
    sharing: Sharing | None = None


class DecoderLayer(nn.Module):
    """Self-attention over what was written, attention over the source, feed-forward block."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__()
        self.self_attention = multi_head(config)
        self.self_attention_residual = Residual(config)
        self.attention = multi_head(config)
        self.attention_residual = Residual(config)
        self.feedforward = FeedForward(config)
        self.feedforward_residual = Residual(config)

    def prepare(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Project the encoder's states to keys and values, laid out for the many steps to come."""
        keys, values = self.attention.prepare(states)
        if self.training or states.shape[1] < LONG or keys.dtype != states.dtype:
            return keys.contiguous(), values.contiguous()
        # Over a long source a step is faster where the positions stand side by side in memory.
        return keys.mT.contiguous().mT, values.mT.contiguous().mT

    def forward(
        self,
        states: Tensor,
        past: tuple[Tensor, Tensor],
        causal: Tensor | None,
        source: SourceKeys,
        record: bool,
        bias: Tensor | None,
        edit: Edit | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor, tuple[Tensor | None, Tensor | None]]:
        """Map states (rows, target, width) given past keys and values, and those of the source.

        Returns the states, the longer past, the context and the (cross, self) weights.
        """
        read = self.self_attention_residual.enter(states)
        query, keys, values = self.self_attention.project(read)
        past = torch.cat([past[0], keys], dim=2), torch.cat([past[1], values], dim=2)
        change, self_weights = self.self_attention(query, past, causal, record, bias)
        states = self.self_attention_residual.leave(states, change)
        query = self.attention_residual.enter(states)
        if source.sharing is None:
            context, weights = self.attention(query, *source[:2], record, None, edit)
        else:
            context, weights = self._look_together(query, source, source.sharing, record, edit)
        states = self.attention_residual.leave(states, context)
        change = self.feedforward(self.feedforward_residual.enter(states))
        states = self.feedforward_residual.leave(states, change)
        return states, past, context, (weights, self_weights)

    def _look_together(
        self,
        query: Tensor,
        source: SourceKeys,
        sharing: Sharing,
        record: bool,
        edit: Edit | None,
    ) -> tuple[Tensor, Tensor | None]:
        """Look at the source from query (rows, 1, width), all that share a row of it at once.

        Keys and values are then read from memory once, not once for each hypothesis.
        """
        queries = sharing.gather(self.attention.queries(query)[:, :, 0], len(source.keys[0]))

        def by_row(weights: Tensor) -> Tensor:
            return sharing.spread(weights.transpose(1, 2)).unsqueeze(2)

        def edited(weights: Tensor) -> Tensor:
            assert edit is not None
            rows = edit(by_row(weights)).squeeze(2)
            return sharing.gather(rows, len(weights)).transpose(1, 2)

        change = None if edit is None else edited
        context, weights = self.attention(
            queries.transpose(1, 2), source.keys, source.mask, record, None, change
        )
        seen = None if weights is None else by_row(weights)
        return sharing.spread(context).unsqueeze(1), seen


class TransformerEncoder(nn.Module):
    """Every position reads every other one, in each layer."""

    def __init__(self, embedding: nn.Module, config: StackConfig) -> None:
        super().__init__()
        self.embedding = embedding
        self.bias = relative_bias(config, both_ways=True)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.norm = norm(config) if config.norm_first else nn.Identity()

    def forward(self, source: Tensor, mask: Tensor, record: bool = False) -> Memory:
        """Encode source (rows, source) of ids, or what the embedding takes in their place."""
        states, recorded = self.embedding(source), []
        if source.dim() == 3:  # half as many positions as frames
            mask = mask[:, ::2]
        everywhere = not self.training and bool(mask.all())
        visible = None if everywhere else mask[:, None, None, :]
        count, length = len(self.layers), states.shape[1]
        biases = biases_of(self.bias, count, 0, length, states.device)
        for layer, bias in zip(self.layers, biases, strict=True):
            states, weights = layer(states, visible, record, bias)
            recorded.append(weights)
        weights = torch.stack(recorded, dim=1) if record else None
        return Memory(self.norm(states), mask, weights=weights)

    def self_attentions(self) -> list[MultiHead]:
        """Return the self-attention of each layer."""
        return [cast(EncoderLayer, layer).attention for layer in self.layers]


class TransformerDecoder(nn.Module):
    """Its state is, for each layer, the keys and values of what it has read so far.

    The context vector of a step is what the top layer's attention brought from the source.
    scale_output: the states are divided by the root of the width before the output matrix, as in T5
    where that matrix is the embedding.
    """

    def __init__(
        self,
        embedding: Embedding,
        config: StackConfig,
        output: nn.Linear,
        scale_output: bool = False,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.bias = relative_bias(config, both_ways=False)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.norm = norm(config) if config.norm_first else nn.Identity()
        self.output = output
        self.output_scale = config.width**-0.5 if scale_output else 1.0

    def self_attentions(self) -> list[MultiHead]:
        """Return the self-attention of each layer."""
        return [cast(DecoderLayer, layer).self_attention for layer in self.layers]

    def prepare(self, memory: Memory) -> State:
        """Project the memory to each layer's keys and values."""
        layers = cast("list[DecoderLayer]", list(self.layers))
        return tuple(layer.prepare(memory.states) for layer in layers)

    def start(self, memory: Memory) -> State:
        """Return an empty past for each layer."""
        return tuple((keys[:, :, :0], values[:, :, :0]) for keys, values in memory.keys)

    def share(self, memory: Memory, owners: Tensor) -> Memory:
        """Let hypotheses look at the rows of a memory together, see Decoder.share."""
        counts = owners.bincount()
        most = int(counts.max())
        if most == int(counts.min()):
            return memory._replace(sharing=None if most == 1 else Sharing(most))
        first = counts.cumsum(0) - counts
        among = torch.arange(len(owners), device=owners.device) - first[owners]
        return memory._replace(sharing=Sharing(most, owners * most + among))

    def prefill(self, tokens: Tensor, state: State, memory: Memory) -> State:
        """Read tokens (rows, count) at once and return the state after them."""
        return self.read(tokens, state, memory)[1]

    def step(
        self,
        tokens: Tensor,
        state: State,
        memory: Memory,
        record: bool = True,
        change: Change | None = None,
    ) -> Step:
        """Read tokens (rows,) and score the next ones."""
        steps, state = self.read(tokens.unsqueeze(1), state, memory, record, change)
        cross, own = (None if part is None else part[:, 0] for part in steps[3:5])
        return Step(steps.logits[:, 0], state, steps.hidden[:, 0], steps.context[:, 0], cross, own)

    def forward(self, target: Tensor, memory: Memory, record: bool = False) -> Steps:
        """Read target (rows, target) under teacher forcing."""
        return self.read(target, self.start(memory), memory, record)[0]

    def read(
        self,
        target: Tensor,
        state: State,
        memory: Memory,
        record: bool = False,
        change: Change | None = None,
    ) -> tuple[Steps, State]:
        """Read on from a state; returns all steps and the state after the last."""
        start, count = state[0][0].shape[2], target.shape[1]
        states = self.embedding(target, start)
        causal = None
        if count > 1:
            everything = torch.ones(count, start + count, dtype=torch.bool, device=target.device)
            causal = everything.tril(diagonal=start)
        layers, stop = len(self.layers), start + count
        biases = biases_of(self.bias, layers, start, stop, target.device)
        # A step spares each layer a mask that hides nothing; training must not wait to know.
        everywhere = count == 1 and bool(memory.mask.all())
        visible = None if everywhere else memory.mask[:, None, None, :]
        new_state, recorded = [], []
        parts = zip(self.layers, state, memory.keys, biases, strict=True)
        for number, (layer, past, keys, bias) in enumerate(parts):
            here = None if change is None else partial(change, number)
            source = SourceKeys(keys, visible, memory.sharing)
            states, past, context, weights = layer(states, past, causal, source, record, bias, here)
            new_state.append(past)
            recorded.append(weights)
        hidden = self.norm(states)
        weights = (_by_step(part) for part in zip(*recorded, strict=True))
        logits = self.output(hidden * self.output_scale)
        return Steps(logits, hidden, context, *weights), tuple(new_state)


def _by_step(layers: tuple[Tensor, ...]) -> Tensor | None:
    """Stack (rows, heads, target, positions) to (rows, target, layers, heads, positions)."""
    return None if layers[0] is None else torch.stack(layers, dim=1).permute(0, 3, 1, 2, 4)
