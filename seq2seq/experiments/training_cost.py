"""Training takes compute: a real step is timed and its operations are counted.

By the rule of six operations for each weight and target token, the training of the Transformer
(big) took 9.6e18: 213 million weights, 300,000 steps of about 25,000 target tokens (Vaswani et al.
2017, sections 5.1 and 5.2, table 3). Their 2.3e19 (table 2) is what its eight GPUs could have done
in that time. Rule: for the claim if this machine, at the best rate measured, would need more than a
week for that; against it otherwise. Beside it, the recorded cost of each translation model here.
"""

from __future__ import annotations

import copy
import json
import time

from torch.utils.flop_counter import FlopCounterMode

from seq2seq.catalogue import CHECKPOINTS, embedded
from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import Batch, pad
from seq2seq.data.tokenizer import BOS, EOS
from seq2seq.evaluation.results import EVALUATION, Curve
from seq2seq.experiments.clock import seconds_of
from seq2seq.experiments.references import references
from seq2seq.experiments.result import (
    AGAINST,
    FOR,
    NONE,
    Axes,
    Load,
    OnPart,
    Result,
    title_of,
    titles_of,
)
from seq2seq.training.losses import Objective

MODELS = ("rnn-vanilla-en-fr", "lstm-attention-en-fr", "transformer-en-fr")
BIG = 6 * 213e6 * 300_000 * 25_000  # floating-point operations
DAY, WEEK = 86_400, 7
STEPS = 2


def run(
    load: Load, on_part: OnPart, seed: int = 0, models: tuple[str, ...] = MODELS, rows: int = 16
) -> Result:
    """Take training steps with each model; value: days that the Transformer (big) would take."""
    started, found = time.perf_counter(), []
    for number, name in enumerate(models):
        on_part(number, len(models))
        checkpoint = load(name)
        batch = _batch(checkpoint, rows)
        found.append((int((batch.labels != 0).sum()), *_step(checkpoint, batch)))
    rates = [operations / seconds for _, operations, seconds in found]
    speeds = tuple(tokens / seconds for tokens, _, seconds in found)
    days, titles = BIG / max(rates) / DAY, tuple(titles_of(load, models).values())
    return Result(
        FOR if days > WEEK else AGAINST,
        days,
        "days",
        f"This machine does {max(rates) / 1e9:.1f} billion operations a second in training, "
        f"{min(speeds):,.0f} to {max(speeds):,.0f} target tokens. The Transformer (big) of 2017 "
        f"took about {BIG:.1e} operations, six for each weight and target token: {days:,.0f} days "
        "here, if it ran at that rate.",
        (Curve("training", tuple(map(float, range(1, len(models) + 1))), speeds),),
        Axes("model", "target tokens a second", titles, ordered=False),
        f"{STEPS} steps of {rows} sentences a model",
        seed,
        time.perf_counter() - started,
        {
            "model": titles,
            "parameters": [load(name).model.parameter_count() for name in models],
            "operations a step": [f"{operations:.2e}" for _, operations, _ in found],
            "seconds a step": [round(seconds, 3) for _, _, seconds in found],
        },
        recorded_cost(),
    )


def recorded_cost() -> tuple[Result, ...]:
    """Return what the training of each translation model took, () where none has recorded it.

    A result without a verdict: it was not measured now.
    """
    rows = []
    for name, card in embedded().items():
        file = CHECKPOINTS / name / EVALUATION
        if card.task != "translation" or not file.is_file():
            continue
        scores = json.loads(file.read_text(encoding="utf-8"))
        if {"training_seconds", "training_steps", "parameters"} <= set(scores):
            title = title_of(card)
            rows.append((scores["training_seconds"] / 60, title, scores))
    if not rows:
        return ()
    rows.sort(key=lambda row: row[0])
    minutes, titles = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
    return (
        Result(
            NONE,
            minutes[-1],
            "minutes",
            f"Recorded: the training of the {len(rows)} translation models here took "
            f"{minutes[0]:,.0f} ({titles[0]}) to {minutes[-1]:,.0f} minutes ({titles[-1]}).",
            (Curve("training", tuple(map(float, range(1, len(rows) + 1))), minutes),),
            Axes("model", "minutes", titles, ordered=False),
            "recorded when the models were trained",
            0,
            60 * sum(minutes),
            {
                "model": list(titles),
                "minutes": [round(each) for each in minutes],
                "steps": [row[2]["training_steps"] for row in rows],
                "parameters": [row[2]["parameters"] for row in rows],
                "on": [row[2].get("training_hardware", "") for row in rows],
            },
            recorded=True,
        ),
    )


def _batch(checkpoint: Checkpoint, rows: int) -> Batch:
    pairs, tokenizer = references()[:rows], checkpoint.tokenizer
    sources = [[*tokenizer.encode(pair.source), EOS] for pair in pairs]
    targets = [tokenizer.encode_target(pair.target) for pair in pairs]
    return Batch(
        pad(sources),
        pad([[BOS, *target] for target in targets]),
        pad([[*target, EOS] for target in targets]),
    )


def _step(checkpoint: Checkpoint, batch: Batch) -> tuple[int, float]:
    """Return the operations of a step, forward and back, and the seconds of the fastest one."""
    model = copy.deepcopy(checkpoint.model).requires_grad_(True).train()
    objective, batch, taken = Objective(model), batch.to(checkpoint.device), []
    with FlopCounterMode(display=False) as counter:
        objective(batch).backward()
    for _ in range(STEPS):
        model.zero_grad()
        begun = seconds_of(checkpoint)
        objective(batch).backward()
        taken.append(seconds_of(checkpoint) - begun)
    return int(counter.get_total_flops()), min(taken)
