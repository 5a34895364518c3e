"""Few examples and no regularisation: the training loss falls and the validation loss turns.

Srivastava et al. 2014. Rule: for the claim if, without dropout, the validation loss ends at least
5 % above its lowest point while the training loss ends below its value at that point; against it
otherwise.

The setting follows from sizes alone: few pairs are as many as leave at least 100 weights for each
target token. The model has 61,000 weights and a pair 4.8 target tokens, its end included, so that
is at most 127 pairs; 100 is the round number below.
"""

from __future__ import annotations

import time

from seq2seq.data.tasks import number_reading
from seq2seq.evaluation.results import Curve
from seq2seq.experiments.live_training import Moment, Settings, share_of, small_gru, train
from seq2seq.experiments.result import AGAINST, FOR, Axes, Load, OnPart, Result

TURNED = 1.05
HELD_OUT = 200


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    seconds: float = 8.0,
    pairs: int = 100,
    dropout: float = 0.4,
) -> Result:
    """Train on few pairs, without and with dropout; value: validation less training loss."""
    started, task = time.perf_counter(), number_reading(pairs, HELD_OUT, seed=seed)
    settings = Settings(seconds, seconds / 25, 0.01, seed=seed)

    def trained(rate: float, place: int) -> list[Moment]:
        model = small_gru(task, seed, width=64, dropout=rate)
        return train(model, task.train, task.valid, settings, share_of(settings, on_part, place, 2))

    plain, other = trained(0.0, 0), trained(dropout, 1)
    lowest = min(plain, key=lambda moment: moment.valid_loss)
    last, kept = plain[-1], other[-1]
    turned = last.valid_loss >= TURNED * lowest.valid_loss
    gap = last.valid_loss - last.train_loss
    return Result(
        FOR if turned and last.train_loss < lowest.train_loss else AGAINST,
        gap,
        "nats a token apart",
        f"On {pairs} pairs the validation loss was lowest after {lowest.step:,} steps "
        f"({lowest.valid_loss:.2f}) and ended, after {last.step:,}, at {last.valid_loss:.2f}, the "
        f"training loss at {last.train_loss:.3f}: {gap:.2f} apart. With dropout {dropout:g} they "
        f"ended at {kept.valid_loss:.2f} and {kept.train_loss:.3f}.",
        (*_curves(plain, ""), *_curves(other, f", dropout {dropout:g}")),
        Axes("seconds of training", "loss, nats a token"),
        f"{pairs} pairs, {HELD_OUT} held out, two trainings",
        seed,
        time.perf_counter() - started,
        {
            "seconds": [round(each.seconds, 1) for each in plain],
            "training": [round(each.train_loss, 3) for each in plain],
            "validation": [round(each.valid_loss, 3) for each in plain],
        },
    )


def _curves(moments: list[Moment], named: str) -> tuple[Curve, Curve]:
    times = tuple(moment.seconds for moment in moments)
    return (
        Curve(f"training{named}", times, tuple(moment.train_loss for moment in moments)),
        Curve(f"validation{named}", times, tuple(moment.valid_loss for moment in moments)),
    )
