"""One set of weights reads and writes sequences of any length (Sutskever et al. 2014, section 2).

Rule: for the claim if every input got an output that ended, and longer inputs got longer outputs
(rank correlation at least 0.9); against it otherwise.
"""

from __future__ import annotations

import random
import time

from scipy.stats import spearmanr

from seq2seq.analysis.probe_sentences import probes
from seq2seq.evaluation.results import Curve
from seq2seq.experiments.result import AGAINST, FOR, Axes, Load, OnPart, Result
from seq2seq.inference.generation import find

WORDS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 60)
LEAST = 0.9  # rank correlation


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    model: str = "bilstm-attention-en-fr",
    words: tuple[int, ...] = WORDS,
) -> Result:
    """Decode texts of so many words; value: tokens written for the longest one."""
    started = time.perf_counter()
    checkpoint, rows = load(model), []
    for number, count in enumerate(words):
        on_part(number, len(words))
        text = _text(count, random.Random(seed + number))
        begun = time.perf_counter()
        best = find(checkpoint, text).hypotheses[0]
        taken = 1000 * (time.perf_counter() - begun)
        rows.append((count, len(best.tokens), taken, best.finished))
    read, written = [row[0] for row in rows], [row[1] for row in rows]
    ended = all(row[3] for row in rows)
    rank = float(spearmanr(read, written).statistic)
    sentence = (
        f"The same weights wrote {written[0]} tokens for {read[0]} word and {written[-1]} for "
        f"{read[-1]} words; "
        + ("all outputs ended by themselves" if ended else "some outputs never ended")
        + f", and the rank correlation of the two lengths is {rank:.2f}."
    )
    return Result(
        FOR if ended and rank >= LEAST else AGAINST,
        float(written[-1]),
        "tokens",
        sentence,
        (Curve(model, tuple(map(float, read)), tuple(map(float, written))),),
        Axes("words read", "tokens written"),
        f"{len(rows)} texts, one model",
        seed,
        time.perf_counter() - started,
        {
            "words read": read,
            "tokens written": written,
            "milliseconds": [round(row[2], 1) for row in rows],
            "ended": [row[3] for row in rows],
        },
    )


def _text(words: int, draw: random.Random) -> str:
    """Return the first words of sentences one after the other."""
    sentences = [probe.text for probe in probes()]
    drawn: list[str] = []
    while len(drawn) < words:
        drawn += draw.choice(sentences).split()
    return " ".join(drawn[:words]).rstrip(".?") + "."
