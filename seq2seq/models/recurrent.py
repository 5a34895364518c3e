"""Recurrent encoder and decoder: RNN, LSTM or GRU cells, one direction or two, with or without
attention.

A cell is one step, h_t = f(x_t, h_{t-1}), written out here; whole sequences run through torch's
fused kernels on the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from seq2seq.models.attention import Additive, Dot, General, attend
from seq2seq.models.config import STATE_PARTS
from seq2seq.models.protocol import Change, Memory, State, Step, Steps, select

# Of a probability, so that its logarithm is finite.
LEAST = 1e-12
# A cell's state: (h,) for RNN and GRU, (h, c) for LSTM.
CellState = tuple[Tensor, ...]
# What multiplies a cell's input and what its state: W x + b and U h + b of all gates side by side.
Gates = Sequence[Callable[[Tensor], Tensor]]


class CellStep(NamedTuple):
    """One step of one layer, all (rows, width): the state it leaves, and the gates that made it.

    gates: in the order of GATES. sums: their pre-activations, before sigmoid or tanh, in the same
    order; the one of a plain RNN is the gate itself.
    """

    state: CellState
    gates: tuple[Tensor, ...]
    sums: tuple[Tensor, ...]


# The numbers from which a cell makes its state, by the names that the cells below give them.
GATES = {
    "rnn": ("sum",),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("reset", "update", "candidate"),
}


def rnn_cell(inputs: Tensor, state: CellState, gates: Gates) -> CellStep:
    """h' = tanh(sum), sum = W x + U h + b. Elman 1990."""
    total = gates[0](inputs) + gates[1](state[0])
    return CellStep((torch.tanh(total),), (total,), (total,))


def lstm_cell(inputs: Tensor, state: CellState, gates: Gates) -> CellStep:
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.

    c' = forget * c + input * candidate, h' = output * tanh(c').
    """
    parts = (gates[0](inputs) + gates[1](state[0])).chunk(4, dim=-1)
    input_gate, forget_gate, output_gate = (torch.sigmoid(parts[i]) for i in (0, 1, 3))
    candidate = torch.tanh(parts[2])
    cell = forget_gate * state[1] + input_gate * candidate
    hidden = output_gate * torch.tanh(cell)
    return CellStep((hidden, cell), (input_gate, forget_gate, candidate, output_gate), parts)


def gru_cell(inputs: Tensor, state: CellState, gates: Gates) -> CellStep:
    """Cho et al. 2014, section 2.3, with the reset gate after the matrix product.

    h' = update * h + (1 - update) * tanh(W x + reset * (U h)).
    """
    hidden = state[0]
    from_input, from_state = gates[0](inputs).chunk(3, dim=-1), gates[1](hidden).chunk(3, dim=-1)
    sums = [from_input[i] + from_state[i] for i in (0, 1)]
    reset, update = (torch.sigmoid(total) for total in sums)
    sums.append(from_input[2] + reset * from_state[2])
    candidate = torch.tanh(sums[2])
    hidden = update * hidden + (1 - update) * candidate
    return CellStep((hidden,), (reset, update, candidate), tuple(sums))


CELLS: dict[str, tuple[Callable[..., nn.RNNBase], Callable[..., CellStep]]] = {
    "rnn": (nn.RNN, rnn_cell),
    "lstm": (nn.LSTM, lstm_cell),
    "gru": (nn.GRU, gru_cell),
}  # name: (fused sequence, one step)


class Stack(nn.Module):
    """Layers of one kind of cell. States are tuples of (rows, layers, width).

    With two directions, width is that of both halves together, forward then backward.
    """

    def __init__(
        self,
        cell: str,
        input_width: int,
        width: int,
        layers: int,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        fused, self.cell = CELLS[cell]
        self.parts = STATE_PARTS[cell]
        self.kind = cell
        self.layers, self.directions = layers, 2 if bidirectional else 1
        self.width = width
        self.dropout = nn.Dropout(dropout)
        self.sequence = fused(
            input_width,
            width // self.directions,
            layers,
            batch_first=True,
            dropout=dropout if layers > 1 else 0.0,
            bidirectional=bidirectional,
        )

        # Where a copy of the model steps with something else than the sequence's weights; only for
        # a decoder, whose rows are all of one length.
        self.gates: nn.ModuleList | None = None

    def zeros(self, like: Tensor) -> CellState:
        """Return the state before anything was read, for as many rows as `like` has."""
        return (like.new_zeros(like.shape[0], self.layers, self.width),) * self.parts

    def forward(
        self, inputs: Tensor, state: CellState, lengths: Tensor | None = None
    ) -> tuple[Tensor, CellState]:
        """Run over inputs (rows, time, input width), reading `lengths` of each row where given.

        Returns the top layer's states (rows, time, width), zero on padding, and the final state.
        """
        if self.gates is not None:
            return self._in_turn(inputs, state)
        # Packing leaves the fused CPU kernels, so it is only for rows of unequal length.
        sequence: Tensor | PackedSequence = inputs
        if lengths is not None:
            sequence = pack_padded_sequence(
                inputs, lengths.cpu(), batch_first=True, enforce_sorted=False
            )
        initial = tuple(self._layers_first(part) for part in state)
        outputs, final = self.sequence(sequence, initial if self.parts > 1 else initial[0])
        if lengths is not None:
            outputs, _ = pad_packed_sequence(
                outputs, batch_first=True, total_length=inputs.shape[1]
            )
        final = final if self.parts > 1 else (final,)
        return outputs, tuple(self._rows_first(part) for part in final)

    def _in_turn(self, inputs: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """Read inputs (rows, time, input width) as `step` does, with the gates that it has."""
        outputs = []
        for each in inputs.unbind(1):
            hidden, state = self.step(each, state)
            outputs.append(hidden)
        return torch.stack(outputs, dim=1), state

    def step(self, inputs: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """Read one input (rows, input width); only for one direction.

        Returns the top layer's new h (rows, width) and the new state.
        """
        cell_steps = self.cell_steps(inputs, state)
        layers = (made.state for made in cell_steps)
        return cell_steps[-1].state[0], tuple(
            torch.stack(part, 1) for part in zip(*layers, strict=True)
        )

    def cell_steps(self, inputs: Tensor, state: CellState) -> list[CellStep]:
        """Take one step as `step` does; returns what happened in each layer, from the lowest."""
        cell_steps: list[CellStep] = []
        for index, gates in enumerate(self.gates or self._float_gates()):
            inputs = self.dropout(inputs) if index else inputs
            cell_steps.append(self.cell(inputs, tuple(part[:, index] for part in state), gates))
            inputs = cell_steps[-1].state[0]
        return cell_steps

    def steps_over(self, inputs: Tensor) -> list[CellStep]:
        """Read inputs (time, input width) from the zero state, one step after the other.

        Returns what happened in each layer, from the lowest, as tensors (time, width).
        Slower than `forward`, which keeps no gates.
        """
        gates, layers = self._float_gates(), list[CellStep]()
        for first in range(0, len(gates), self.directions):
            ways = gates[first : first + self.directions]
            halves = [self._one_way(each, inputs, bool(way)) for way, each in enumerate(ways)]
            layers.append(_joined(halves, dim=-1))
            inputs = layers[-1].state[0]
        return layers

    def _one_way(self, gates: Gates, inputs: Tensor, backward: bool) -> CellStep:
        state = (inputs.new_zeros(1, self.width // self.directions),) * self.parts
        cell_steps = []
        for read in (inputs.flip(0) if backward else inputs).unsqueeze(1):
            cell_steps.append(self.cell(read, state, gates))
            state = cell_steps[-1].state
        return _joined(cell_steps[::-1] if backward else cell_steps, dim=0)

    def _float_gates(self) -> list[Gates]:
        return [
            (
                partial(F.linear, weight=weights[0], bias=weights[2]),
                partial(F.linear, weight=weights[1], bias=weights[3]),
            )
            for weights in self.sequence.all_weights
        ]

    def _layers_first(self, part: Tensor) -> Tensor:
        by_direction = part.unflatten(2, (self.directions, -1)).flatten(1, 2)
        return by_direction.transpose(0, 1).contiguous()

    def _rows_first(self, part: Tensor) -> Tensor:
        by_direction = part.transpose(0, 1).unflatten(1, (self.layers, self.directions))
        return by_direction.flatten(2)


def _joined(cell_steps: Sequence[CellStep], dim: int) -> CellStep:
    """Return steps as one, each of its tensors those of all steps put side by side."""
    fields = (zip(*field, strict=True) for field in zip(*cell_steps, strict=True))
    return CellStep(*(tuple(torch.cat(parts, dim) for parts in field) for field in fields))


class RecurrentEncoder(nn.Module):
    """Reads the source into one state for each position; the last state is the context vector c."""

    def __init__(self, embedding: nn.Embedding, stack: Stack, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = embedding
        self.stack = stack
        self.dropout = nn.Dropout(dropout)

    def forward(self, source: Tensor, mask: Tensor, record: bool = False) -> Memory:
        """Encode source (rows, source) of ids; padding is on the right."""
        embedded = self.dropout(self.embedding(source))
        lengths = None if bool(mask.all()) else mask.sum(dim=1)
        states, final = self.stack(embedded, self.stack.zeros(embedded), lengths)
        return Memory(states, mask, final, source=source)


class _Reading(NamedTuple):
    """What the decoder gets from reading tokens: x_t, the readout r_t, s_t, c_t and the weights."""

    inputs: Tensor
    readout: Tensor
    hidden: Tensor
    context: Tensor
    weights: Tensor | None


class Unmixed(NamedTuple):
    """What a decoder that copies mixes.

    logits: (rows, target, vocabulary). switch: (rows, target, 1), of which p_gen is the sigmoid.
    copied: the attention on the labels (rows, target).
    """

    logits: Tensor
    switch: Tensor
    copied: Tensor


class RecurrentDecoder(nn.Module):
    """Writes the target one token at a time: s_t = f(y_{t-1}, s_{t-1}, ...), softmax(W r_t + b).

    feeds says what a step reads beside the previous token, and where attention sits:
    "token": nothing; attention looks with the new s_t (Luong et al. 2015, section 3).
    "context": the context vector; c for a model without attention (Cho et al. 2014), c_t found
        with s_{t-1} for one with attention (Bahdanau et al. 2014, section 3.1).
    "readout": the previous r_{t-1} (input feeding, Luong et al. 2015, section 3.3).
    The readout is r_t = tanh(V [s_t; c_t]) with attention and s_t, projected if need be, without.

    copies: what is written next may also be a token of the source, drawn by the attention weights
    (See, Liu and Manning 2017, section 2.2): P(w) = p_gen softmax(W r_t + b) + p_copy times the
    weights on w, where p_gen = sigmoid(v [c_t; s_t; x_t]) and p_copy = 1 - p_gen. Logits are then
    the logarithms of P, which a softmax leaves as they are.
    """

    def __init__(
        self,
        embedding: nn.Embedding,
        stack: Stack,
        output: nn.Linear,
        attention: Additive | Dot | General | None = None,
        feeds: str = "token",
        dropout: float = 0.0,
        copies: bool = False,
    ) -> None:
        super().__init__()
        self.embedding, self.stack, self.output = embedding, stack, output
        self.attention, self.feeds = attention, feeds
        self.dropout = nn.Dropout(dropout)
        width, readout = stack.width, output.in_features
        self.combine: nn.Module = nn.Identity()
        if attention is not None:
            self.combine = nn.Linear(2 * width, readout, bias=False)
        elif width != readout:
            self.combine = nn.Linear(width, readout, bias=False)
        self.switch = nn.Linear(2 * width + embedding.embedding_dim, 1) if copies else None

    def prepare(self, memory: Memory) -> State:
        """Return the attention's keys, () without attention."""
        return () if self.attention is None else self.attention.prepare(memory.states)

    def start(self, memory: Memory) -> State:
        """Return (cell state, previous readout), starting from the encoder's final state.

        Layers continue each other counted from the top; a deeper decoder repeats the lowest.
        """
        depth = memory.final[0].shape[1]
        layers = [max(0, depth - self.stack.layers + i) for i in range(self.stack.layers)]
        cells = tuple(part[:, layers] for part in memory.final)
        readout = cells[0].new_zeros(cells[0].shape[0], self.output.in_features)
        return cells, readout if self.feeds == "readout" else ()

    def share(self, memory: Memory, owners: Tensor) -> Memory:
        """Repeat the memory's rows: it is small beside the cells."""
        return select(memory, owners)

    def step(
        self,
        tokens: Tensor,
        state: State,
        memory: Memory,
        record: bool = True,
        change: Change | None = None,
    ) -> Step:
        """Read tokens (rows,) and score the next ones. The weights cost nothing: always there."""
        read, state = self._advance(self.dropout(self.embedding(tokens)), state, memory, change)
        logits, copying = self._scores(read, memory)
        return Step(logits, state, read.hidden, read.context, read.weights, copying=copying)

    def prefill(self, tokens: Tensor, state: State, memory: Memory) -> State:
        """Read tokens (rows, count) and return the state after them; scores nothing."""
        for token in self.dropout(self.embedding(tokens)).unbind(1):
            _, state = self._advance(token, state, memory)
        return state

    def forward(self, target: Tensor, memory: Memory, record: bool = False) -> Steps:
        """Read target (rows, target) under teacher forcing."""
        read = self._read(target, memory)
        logits, copying = self._scores(read, memory)
        return Steps(logits, read.hidden, read.context, read.weights, copying=copying)

    def unmixed(self, target: Tensor, memory: Memory, labels: Tensor) -> Unmixed:
        """Read target (rows, target) under teacher forcing, of a decoder that copies; labels: what
        is to be written.
        """
        read = self._read(target, memory)
        assert self.switch is not None
        assert read.weights is not None
        assert memory.source is not None
        same = memory.source.unsqueeze(1) == labels.unsqueeze(2)
        copied = (read.weights[..., 0, 0, :].float() * same).sum(dim=2)
        return Unmixed(self.output(read.readout), self._switch(read), copied)

    def _read(self, target: Tensor, memory: Memory) -> _Reading:
        embedded = self.dropout(self.embedding(target))
        in_turn = self.feeds == "readout" or (self.feeds == "context" and self.attention)
        return (self._in_turn if in_turn else self._at_once)(embedded, self.start(memory), memory)

    def _switch(self, read: _Reading) -> Tensor:
        assert self.switch is not None
        return self.switch(torch.cat([read.context, read.hidden, read.inputs], dim=-1))

    def _advance(
        self, embedded: Tensor, state: State, memory: Memory, change: Change | None = None
    ) -> tuple[_Reading, State]:
        """Take one step; the tensors of the reading are (rows, ...)."""
        cells, previous = state
        token = embedded
        if self.feeds == "context":
            context, weights = self._look(cells[0][:, -1:], memory, change)
            embedded = torch.cat([embedded, context[:, 0]], dim=-1)
        elif self.feeds == "readout":
            embedded = torch.cat([embedded, previous], dim=-1)
        hidden, cells = self.stack.step(embedded, cells)
        if self.feeds != "context":
            context, weights = self._look(hidden.unsqueeze(1), memory, change)
        context = context[:, 0]
        readout = self._readout(hidden, context)
        looked = None if weights is None else weights[:, 0]
        read = _Reading(token, readout, hidden, context, looked)
        return read, (cells, readout if self.feeds == "readout" else ())

    def _in_turn(self, embedded: Tensor, state: State, memory: Memory) -> _Reading:
        """Take all steps, each after the other: what a step reads follows from the one before."""
        steps = []
        for inputs in embedded.unbind(1):
            read, state = self._advance(inputs, state, memory)
            steps.append(read)
        _, readout, hidden, context, weights = zip(*steps, strict=True)
        return _Reading(
            embedded,
            torch.stack(readout, dim=1),
            torch.stack(hidden, dim=1),
            torch.stack(context, dim=1),
            None if weights[0] is None else torch.stack(weights, dim=1),
        )

    def _at_once(self, embedded: Tensor, state: State, memory: Memory) -> _Reading:
        """Take all steps in one call of the fused kernel."""
        inputs = embedded
        if self.feeds == "context":
            context, _ = self._look(embedded, memory)
            inputs = torch.cat([embedded, context], dim=-1)
        hidden, _ = self.stack(inputs, state[0])
        context, weights = self._look(hidden, memory)
        return _Reading(embedded, self._readout(hidden, context), hidden, context, weights)

    def _scores(self, read: _Reading, memory: Memory) -> tuple[Tensor, Tensor | None]:
        """Score the tokens that may come next: logits (..., vocabulary) and p_copy (...)."""
        logits = self.output(read.readout)
        if self.switch is None:
            return logits, None
        assert read.weights is not None
        assert memory.source is not None
        exact = torch.promote_types(logits.dtype, torch.float32)
        logits, switch = logits.to(exact), self._switch(read).to(exact)
        written = logits - logits.logsumexp(dim=-1, keepdim=True) + F.logsigmoid(switch)
        # Only tokens of the source change, each where it is seen first, by the weights of all its
        # places: over the vocabulary, one more pass costs more than the whole attention.
        same = memory.source.unsqueeze(1) == memory.source.unsqueeze(2)
        again = (same.tril(-1) & memory.mask.unsqueeze(1)).any(dim=2) | ~memory.mask
        weights, source = read.weights[..., 0, 0, :].to(exact), memory.source
        if weights.dim() == 3:
            source, again = source.unsqueeze(1), again.unsqueeze(1)
            looked = weights @ same.to(exact)
        else:
            looked = (weights.unsqueeze(1) @ same.to(exact)).squeeze(1)
        source = source.expand_as(looked)
        pointed = looked.clamp(min=LEAST).log() + F.logsigmoid(-switch)
        before = written.gather(-1, source)
        gained = (torch.logaddexp(before, pointed) - before).masked_fill(again, 0.0)
        return written.scatter_add(-1, source, gained), torch.sigmoid(-switch).squeeze(-1)

    def _look(
        self, query: Tensor, memory: Memory, change: Change | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Find the context (rows, target, width) for query (rows, target, width).

        The weights are (rows, target, 1 layer, 1 head, source).
        """
        if self.attention is None:
            return memory.final[0][:, -1:].expand(-1, query.shape[1], -1), None
        scores = self.attention.scores(query, memory.keys)
        # As many heads as a change expects: one.
        here = None if change is None else lambda row: change(0, row.unsqueeze(1)).squeeze(1)
        context, weights = attend(scores, memory.states, memory.mask.unsqueeze(1), here)
        return context, weights[:, :, None, None]

    def _readout(self, hidden: Tensor, context: Tensor) -> Tensor:
        if self.attention is not None:
            hidden = torch.tanh(self.combine(torch.cat([hidden, context], dim=-1)))
        else:
            hidden = self.combine(hidden)
        return self.dropout(hidden)
