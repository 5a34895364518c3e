"""One set of weights reads and writes sequences of any length (Sutskever et al. 2014, section 2).

Rule: for the claim if every input got an output that ended, and longer inputs got longer outputs
(rank correlation at least 0.9); against it otherwise. Beside it, what a length costs. Rule: for
the claim if a token of the longest input's output takes at most three times as long as in the
median; against it otherwise.
"""

from __future__ import annotations

import random
import time
from typing import Any, NamedTuple

import torch
from scipy.stats import spearmanr

from seq2seq.analysis.probe_sentences import probes
from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.options import Options
from seq2seq.evaluation.results import Curve
from seq2seq.experiments.clock import seconds_of
from seq2seq.experiments.result import (
    AGAINST,
    FOR,
    Axes,
    Load,
    OnPart,
    Partial,
    Result,
    title_of,
)
from seq2seq.inference.generation import find
from seq2seq.inference.inputs import prepare
from seq2seq.models.protocol import Memory

WORDS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 60)
LEAST = 0.9  # rank correlation
DEARER = 3.0  # times the median of a token
FIXED = 16  # words that a network with a fixed number of inputs has room for
READ, WRITTEN = "words read", "tokens written"


class _Row(NamedTuple):
    """One text. milliseconds: of its decoding. kilobytes: of what the encoder hands over."""

    words: int
    tokens: int
    milliseconds: float
    kilobytes: float
    ended: bool

    @property
    def each(self) -> float:
        return self.milliseconds / max(1, self.tokens)


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    model: str = "bilstm-attention-en-fr",
    words: tuple[int, ...] = WORDS,
) -> Result:
    """Decode texts of so many words; value: tokens written for the longest one."""
    started, rows = time.perf_counter(), list[_Row]()
    checkpoint = load(model)
    _row(checkpoint, 4, seed)  # nothing is cold now
    for number, count in enumerate(words):
        on_part(number, len(words), Partial((_curve(model, rows),), Axes(READ, WRITTEN)))
        rows.append(_row(checkpoint, count, seed + number))
    ended = all(row.ended for row in rows)
    rank = float(spearmanr([row.words for row in rows], [row.tokens for row in rows]).statistic)
    first, last = rows[0], rows[-1]
    cut, padded = _share(last.words - FIXED, last.words), _share(FIXED - first.words, FIXED)
    return Result(
        FOR if ended and rank >= LEAST else AGAINST,
        float(last.tokens),
        "tokens",
        f"The same weights of {title_of(checkpoint)} wrote {first.tokens} tokens for {first.words} "
        f"word and {last.tokens} for {last.words} words; "
        + ("all outputs ended by themselves" if ended else "some outputs never ended")
        + f", and the rank correlation of the two lengths is {rank:.2f}. A network with {FIXED} "
        f"inputs would cut {cut} of the longest text and fill {padded} of its inputs with padding "
        "for the shortest.",
        (_curve(title_of(checkpoint), rows),),
        Axes(READ, WRITTEN),
        f"{len(rows)} texts, one model",
        seed,
        time.perf_counter() - started,
        {
            READ: [row.words for row in rows],
            WRITTEN: [row.tokens for row in rows],
            f"cut by {FIXED} fixed inputs": [_share(row.words - FIXED, row.words) for row in rows],
            "filled with padding": [_share(FIXED - row.words, FIXED) for row in rows],
            "ended": [row.ended for row in rows],
        },
        (_costs(title_of(checkpoint), rows, seed),),
    )


@torch.inference_mode()
def _row(checkpoint: Checkpoint, words: int, seed: int) -> _Row:
    text = _text(words, random.Random(seed))
    begun = seconds_of(checkpoint)
    best = find(checkpoint, text).hypotheses[0]
    taken = 1000 * (seconds_of(checkpoint) - begun)
    memory = checkpoint.model.encode(prepare(checkpoint, text, Options()).batch(checkpoint.device))
    return _Row(words, len(best.tokens), taken, _bytes(memory) / 1000, best.finished)


def _bytes(held: Memory | Any) -> int:
    """Count the bytes of the tensors in a memory, which may be nested."""
    if isinstance(held, torch.Tensor):
        return held.nbytes
    return sum(map(_bytes, held)) if isinstance(held, tuple) else 0


def _share(part: int, whole: int) -> str:
    return f"{100 * max(0, part) / whole:.0f} %"


def _curve(name: str, rows: list[_Row]) -> Curve:
    x, y = (tuple(float(row[at]) for row in rows) for at in (0, 1))
    return Curve(name, x, y)


def _costs(name: str, rows: list[_Row], seed: int) -> Result:
    """Return what a token costs in time by length, and what the encoder's states take."""
    each = [row.each for row in rows]
    median = sorted(each)[len(each) // 2]
    return Result(
        FOR if each[-1] <= DEARER * median else AGAINST,
        each[-1] / median,
        "times the median",
        f"A token took {each[-1]:.1f} ms in the output for {rows[-1].words} words, {median:.1f} ms "
        f"in the median over all lengths. What the encoder hands over grew from "
        f"{rows[0].kilobytes:,.0f} to {rows[-1].kilobytes:,.0f} kB; the weights stayed the same.",
        (Curve(name, tuple(float(row.words) for row in rows), tuple(each)),),
        Axes(READ, "milliseconds a token"),
        f"{len(rows)} texts, one search each",
        seed,
        sum(row.milliseconds for row in rows) / 1000,
        {
            READ: [row.words for row in rows],
            "milliseconds": [round(row.milliseconds, 1) for row in rows],
            "milliseconds a token": [round(row.each, 1) for row in rows],
            "encoder's states, kB": [round(row.kilobytes, 1) for row in rows],
        },
    )


def _text(words: int, draw: random.Random) -> str:
    """Return the first words of sentences one after the other."""
    sentences = [probe.text for probe in probes()]
    drawn: list[str] = []
    while len(drawn) < words:
        drawn += draw.choice(sentences).split()
    return " ".join(drawn[:words]).rstrip(".?") + "."
