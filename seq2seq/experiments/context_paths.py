"""Two ways for c = h_T into a decoder without attention: as its first state, and at every step.

Sutskever et al. 2014 take the first alone, Cho et al. 2014 both: s_t = f(y_{t-1}, s_{t-1}, c). One
way is switched off by zeros in its place. The claim is that every step uses c. Rule: for the claim
if the model has less chrF without c at every step, by the paired 95 % interval; against it if it
has more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.search import search
from seq2seq.errors import UserError
from seq2seq.evaluation.sentence_metrics import chrf
from seq2seq.experiments.references import (
    GREEDY,
    LENGTH_NAMES,
    Reference,
    by_length,
    references,
    translate,
)
from seq2seq.experiments.result import (
    Axes,
    Load,
    OnPart,
    Result,
    by_sign,
    counter,
    interval,
    title_of,
)
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.models.protocol import Change, Memory, State, Step, Steps
from seq2seq.models.recurrent import RecurrentDecoder


class Paths(NamedTuple):
    """Which ways are open: c as the decoder's first state, and c at every step."""

    first: bool
    every: bool


PATHS = {
    "both": Paths(True, True),
    "first state only": Paths(True, False),
    "every step only": Paths(False, True),
}


class SwitchedDecoder:
    """A decoder that gets zeros for c where a way is switched off; otherwise the one it wraps."""

    def __init__(self, decoder: RecurrentDecoder, paths: Paths) -> None:
        self.decoder, self.paths = decoder, paths

    def prepare(self, memory: Memory) -> State:
        """Return (): there is no attention."""
        return self.decoder.prepare(memory)

    def start(self, memory: Memory) -> State:
        """Return the first state, zeros if c must not be there."""
        return self.decoder.start(_memory(memory, self.paths.first))

    def share(self, memory: Memory, owners: torch.Tensor) -> Memory:
        """Repeat the memory's rows."""
        return self.decoder.share(memory, owners)

    def prefill(self, tokens: torch.Tensor, state: State, memory: Memory) -> State:
        """Read tokens (rows, count) that are given, and return the state after them."""
        return self.decoder.prefill(tokens, state, _memory(memory, self.paths.every))

    def step(
        self,
        tokens: torch.Tensor,
        state: State,
        memory: Memory,
        record: bool = True,
        change: Change | None = None,
    ) -> Step:
        """Read tokens (rows,), beside zeros if c must not be there."""
        given = _memory(memory, self.paths.every)
        return self.decoder.step(tokens, state, given, record, change)

    def forward(self, target: torch.Tensor, memory: Memory, record: bool = False) -> Steps:
        """Read target (rows, target) step by step, as `step` does."""
        steps, state = [], self.start(memory)
        for tokens in target.unbind(1):
            steps.append(self.step(tokens, state, memory))
            state = steps[-1].state
        parts = ("logits", "hidden", "context")
        return Steps(*(torch.stack([getattr(each, part) for each in steps], 1) for part in parts))


def _memory(memory: Memory, is_open: bool) -> Memory:
    if is_open:
        return memory
    return memory._replace(final=tuple(torch.zeros_like(part) for part in memory.final))


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    model: str = "lstm-vanilla-en-fr",
    pairs: tuple[Reference, ...] = (),
) -> Result:
    """Translate our references with each way switched off; value: chrF lost without every step."""
    started, checkpoint, pairs = time.perf_counter(), load(model), pairs or references()
    _check(checkpoint)
    count = counter(on_part, len(PATHS) * len(pairs))
    outputs = {name: _outputs(checkpoint, paths, pairs, count) for name, paths in PATHS.items()}
    scores = {
        name: [chrf(text, pair.target) for text, pair in zip(texts, pairs, strict=True)]
        for name, texts in outputs.items()
    }
    lost = np.subtract(scores["both"], scores["first state only"]).tolist()
    low, high = interval(lost, seed)
    means = {name: float(np.mean(values)) for name, values in scores.items()}
    return Result(
        by_sign(low, high),
        float(np.mean(lost)),
        "chrF lost",
        f"With c both ways {title_of(checkpoint)} has {means['both']:.1f} chrF; with c as first "
        f"state only {means['first state only']:.1f} (loss, 95 %: {low:.1f} to {high:.1f}); with "
        f"c at every step only {means['every step only']:.1f}.",
        tuple(by_length(name, pairs, values, seed) for name, values in scores.items()),
        Axes("words of the source", "chrF", LENGTH_NAMES),
        f"{len(pairs)} sentences, greedy search, {len(PATHS)} times each",
        seed,
        time.perf_counter() - started,
        {"source": [pair.source for pair in pairs], **outputs},
    )


def _check(checkpoint: Checkpoint) -> None:
    config = checkpoint.model.config
    if config.has_attention or not config.has_final_state or config.fed != "context":
        raise UserError(
            f"{title_of(checkpoint)} does not get one c both ways: choose a model without "
            "attention, such as LSTM without attention."
        )


def _outputs(
    checkpoint: Checkpoint,
    paths: Paths,
    pairs: tuple[Reference, ...],
    count: Callable[[int], None],
) -> list[str]:
    start, inner = decoder_prompt(checkpoint, GREEDY).start, checkpoint.model.decoder
    assert isinstance(inner, RecurrentDecoder)
    decoder = SwitchedDecoder(inner, paths)
    return translate(
        checkpoint,
        pairs,
        lambda memory: search(decoder, memory, GREEDY, start, checkpoint.ends),
        count,
    )
