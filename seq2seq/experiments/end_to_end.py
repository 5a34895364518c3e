"""One loss trains all parts at once, without features made by hand.

Rule: for the claim if, at every moment measured, the gradient of every part is above 0 and the
validation loss ends below half of where it began; against it otherwise, undecided where a
slow machine did not take all steps. Beside it, whether the
attention became a diagonal, though nobody told the model where to look. Rule: for the claim if, at
the end, the weight on the symbol that is to be copied is above the highest that lies on any other
place, by the 95 % interval over strings; against it if below.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import torch

from seq2seq.data.batching import collate
from seq2seq.data.tasks import Task, copying
from seq2seq.evaluation.exact_match import outputs
from seq2seq.evaluation.results import Curve
from seq2seq.experiments.live_training import (
    Moment,
    Settings,
    cut_short,
    is_whole,
    loss_on,
    share_of,
    small_gru,
    train,
)
from seq2seq.experiments.result import (
    AGAINST,
    FOR,
    UNDECIDED,
    Axes,
    Load,
    OnPart,
    Partial,
    Result,
    by_sign,
    interval,
)
from seq2seq.models.seq2seq import Seq2Seq

LENGTHS = range(2, 9)
AXES = Axes("steps of training", "norm of the gradient; loss in nats a token")


class _Looked(NamedTuple):
    """Mean attention weight on the right place and the largest elsewhere, by string, at a step."""

    step: int
    right: list[float]
    elsewhere: list[float]


def run(load: Load, on_part: OnPart, seed: int = 0, steps: int = 400, width: int = 48) -> Result:
    """Train a GRU with attention to copy; value: percent of strings copied exactly at the end."""
    started, task = time.perf_counter(), copying(20_000, 200, LENGTHS, seed=seed)
    model = small_gru(task, seed, width=width, bidirectional=True)
    before, looked = loss_on(model, task.valid), [_looked(model, task, 0)]
    settings, known = Settings(steps, learning_rate=0.01, seed=seed), list[Moment]()

    def show(moment: Moment) -> Partial:
        known.append(moment)
        looked.append(_looked(model, task, moment.step))
        return Partial(_curves(known), AXES)

    moments = train(model, task.train, task.valid, settings, share_of(settings, on_part, show=show))
    parts = tuple(moments[0].gradients)
    moving = all(each.gradients[part] > 0 for each in moments for part in parts)
    last, whole = moments[-1], is_whole(moments, settings)
    verdict = FOR if moving and last.valid_loss < before / 2 else AGAINST
    written = outputs(model, [pair.source for pair in task.valid], 2 * max(LENGTHS))
    same = [100.0 * (pair.target == ids) for pair, ids in zip(task.valid, written, strict=True)]
    return Result(
        verdict if whole or verdict == FOR else UNDECIDED,
        float(np.mean(same)),
        "% copied exactly",
        f"In {last.step:,} steps and {last.seconds:.0f} s of computing, the validation loss fell "
        f"from {before:.2f} to {last.valid_loss:.2f} nats a token; the gradient reached "
        f"{'all' if moving else 'not all'} of the {len(parts)} parts at every moment, and "
        f"{np.mean(same):.0f} % of new strings are copied exactly."
        + ("" if whole or verdict == FOR else cut_short(settings)),
        _curves(moments),
        AXES,
        f"{len(task.train):,} strings, {len(task.valid)} held out",
        seed,
        time.perf_counter() - started,
        {
            "read": [task.text(pair.source) for pair in task.valid[:20]],
            "written": [task.text(ids) for ids in written[:20]],
        },
        (_diagonal(looked, seed, last.seconds),),
        interval(same, seed),
    )


def _curves(moments: list[Moment]) -> tuple[Curve, ...]:
    steps = tuple(float(each.step) for each in moments)
    return (
        *(
            Curve(part, steps, tuple(each.gradients[part] for each in moments))
            for part in moments[0].gradients
        ),
        Curve("validation loss", steps, tuple(each.valid_loss for each in moments)),
    )


@torch.inference_mode()
def _looked(model: Seq2Seq, task: Task, step: int) -> _Looked:
    """Look at the attention under teacher forcing, while each symbol of a string is written."""
    model.eval()
    batch = collate(task.valid)
    steps = model.decoder.forward(batch.target, model.encode(batch.source), record=True)
    assert steps.weights is not None
    right, elsewhere = [], []
    for weights, pair in zip(steps.weights[:, :, 0, 0].float().numpy(), task.valid, strict=True):
        count = len(pair.source)
        shares = 100.0 * weights[:count, : count + 1]
        diagonal = shares[range(count), range(count)]
        shares[range(count), range(count)] = 0
        right.append(float(diagonal.mean()))
        elsewhere.append(float(shares.max(axis=1).mean()))
    return _Looked(step, right, elsewhere)


def _diagonal(looked: list[_Looked], seed: int, seconds: float) -> Result:
    first, last = looked[0], looked[-1]
    low, high = interval(np.subtract(last.right, last.elsewhere).tolist(), seed)
    ends = interval(last.right, seed)
    return Result(
        by_sign(low, high),
        float(np.mean(last.right)),
        "% of the attention",
        "While a symbol is written, the same symbol of the source has "
        f"{np.mean(last.right):.0f} % of the attention (95 %: {ends[0]:.0f} to {ends[1]:.0f}), the "
        f"most that any other place has is {np.mean(last.elsewhere):.0f} %; before the training it "
        f"was {np.mean(first.right):.0f} and {np.mean(first.elsewhere):.0f} %.",
        (
            _line("the symbol to copy", [(each.step, each.right) for each in looked], seed),
            _line("the largest elsewhere", [(each.step, each.elsewhere) for each in looked], seed),
        ),
        Axes("steps of training", "% of the attention"),
        f"{len(last.right)} held-out strings, under teacher forcing",
        seed,
        seconds,
        {
            "step": [each.step for each in looked],
            "the symbol to copy": [round(float(np.mean(each.right)), 1) for each in looked],
            "the largest elsewhere": [round(float(np.mean(each.elsewhere)), 1) for each in looked],
        },
        ends=ends,
    )


def _line(name: str, points: list[tuple[int, list[float]]], seed: int) -> Curve:
    ends = [interval(values, seed) for _, values in points]
    return Curve(
        name,
        tuple(float(step) for step, _ in points),
        tuple(float(np.mean(values)) for _, values in points),
        tuple(low for low, _ in ends),
        tuple(high for _, high in ends),
    )
