"""One loss trains all parts at once, without features made by hand.

Rule: for the claim if, at every moment measured, the gradient of every part is above 0 and the
validation loss ends below half of where it began; against it otherwise.
"""

from __future__ import annotations

import time

from seq2seq.data.tasks import copying
from seq2seq.evaluation.exact_match import outputs
from seq2seq.evaluation.results import Curve
from seq2seq.experiments.live_training import Settings, loss_on, share_of, small_gru, train
from seq2seq.experiments.result import AGAINST, FOR, Axes, Load, OnPart, Result

LENGTHS = range(2, 9)


def run(
    load: Load, on_part: OnPart, seed: int = 0, seconds: float = 15.0, width: int = 48
) -> Result:
    """Train a GRU with attention to copy; value: percent of strings copied exactly at the end."""
    started, task = time.perf_counter(), copying(20_000, 200, LENGTHS, seed=seed)
    model = small_gru(task, seed, width=width, bidirectional=True)
    before = loss_on(model, task.valid)
    settings = Settings(seconds, every=seconds / 20, learning_rate=0.01, seed=seed)
    on_moment = share_of(settings, on_part)
    moments = train(model, task.train, task.valid, settings, on_moment)
    parts = tuple(moments[0].gradients)
    moving = all(each.gradients[part] > 0 for each in moments for part in parts)
    after = moments[-1].valid_loss
    written = outputs(model, [pair.source for pair in task.valid], 2 * max(LENGTHS))
    same = [pair.target == ids for pair, ids in zip(task.valid, written, strict=True)]
    exact = 100 * sum(same) / len(same)
    times = tuple(each.seconds for each in moments)
    return Result(
        FOR if moving and after < before / 2 else AGAINST,
        exact,
        "% copied exactly",
        f"In {times[-1]:.0f} s and {moments[-1].step:,} steps the validation loss fell from "
        f"{before:.2f} to {after:.2f} nats a token; the gradient reached "
        f"{'all' if moving else 'not all'} of the {len(parts)} parts at every moment, and "
        f"{exact:.0f} % of new strings are copied exactly.",
        (
            *(
                Curve(part, times, tuple(each.gradients[part] for each in moments))
                for part in parts
            ),
            Curve("validation loss", times, tuple(each.valid_loss for each in moments)),
        ),
        Axes("seconds of training", "norm of the gradient; loss in nats a token"),
        f"{len(task.train):,} strings, {len(task.valid)} held out",
        seed,
        time.perf_counter() - started,
        {
            "read": [task.text(pair.source) for pair in task.valid[:20]],
            "written": [task.text(ids) for ids in written[:20]],
        },
    )
