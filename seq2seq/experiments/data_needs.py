"""Models need many pairs: numbers in words are learnt from ever more examples, for as many steps.

Rule: for the claim if the share of new numbers read right from the most pairs lies above that from
the fewest, the 95 % intervals being apart; against it if below; undecided otherwise, and where a
slow machine did not take all steps. Beside it, the recorded learning curve of a translation model.
"""

from __future__ import annotations

import time

import numpy as np

from seq2seq.catalogue import folder_at_hand, read_card
from seq2seq.data.tasks import number_reading
from seq2seq.evaluation.exact_match import outputs
from seq2seq.evaluation.results import Curve, by_pairs, read_measurements
from seq2seq.experiments.live_training import (
    Moment,
    Settings,
    cut_short,
    is_whole,
    share_of,
    small_gru,
    train,
)
from seq2seq.experiments.result import (
    AGAINST,
    FOR,
    NONE,
    UNDECIDED,
    Axes,
    Load,
    OnPart,
    Partial,
    Result,
    interval,
    mean_curve,
    title_of,
)

PAIRS = (100, 300, 1_000, 3_000, 8_000)
NUMBERS = 10_000  # of which the rest is held out
ASKED = 400  # of those, so many are read
AXES = Axes("pairs learnt from", "% of new numbers read right", logarithmic=True)


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    steps: int = 400,
    pairs: tuple[int, ...] = PAIRS,
    recorded: str = "bilstm-attention-base-en-fr",
) -> Result:
    """Train on so many pairs, each for so many steps; value: percent right from the fewest.

    recorded: the model whose learning curve is shown beside it, "" for none.
    """
    started, right = time.perf_counter(), dict[float, list[float]]()
    task = number_reading(max(pairs), NUMBERS - max(pairs), NUMBERS, seed)
    asked = task.valid[:ASKED]
    written, whole = list[list[int]](), True
    settings = Settings(steps, 10.0, 0.01, seed=seed, moments=10)

    known: list[Moment] = []

    def show(moment: Moment) -> Partial:
        known.append(moment)
        if right:
            return Partial((mean_curve("GRU with attention", right, seed),), AXES)
        return _losses(known, pairs[0])

    for place, count in enumerate(pairs):
        model = small_gru(task, seed, width=64, dropout=0.1)
        on_moment = share_of(settings, on_part, place, len(pairs), show)
        moments = train(model, task.train[:count], asked[:50], settings, on_moment)
        whole = whole and is_whole(moments, settings)
        written = outputs(model, [pair.source for pair in asked], 8)
        same = (ids == pair.target for ids, pair in zip(written, asked, strict=True))
        right[float(count)] = [100.0 * each for each in same]
    fewest, most = right[float(pairs[0])], right[float(pairs[-1])]
    ends = interval(fewest, seed), interval(most, seed)
    apart = FOR if ends[1][0] > ends[0][1] else AGAINST if ends[1][1] < ends[0][0] else UNDECIDED
    return Result(
        apart if whole else UNDECIDED,
        float(np.mean(fewest)),
        "% read right",
        f"After {steps:,} steps of training, {np.mean(fewest):.0f} % of new numbers are read right "
        f"from {pairs[0]:,} pairs (95 %: {ends[0][0]:.0f} to {ends[0][1]:.0f}) and "
        f"{np.mean(most):.0f} % from {pairs[-1]:,} ({ends[1][0]:.0f} to {ends[1][1]:.0f})."
        + ("" if whole else cut_short(settings)),
        (mean_curve("GRU with attention", right, seed),),
        AXES,
        f"{len(asked)} new numbers, {len(pairs)} trainings",
        seed,
        time.perf_counter() - started,
        {
            "words": [task.text(pair.source) for pair in asked[:30]],
            f"written after {pairs[-1]:,} pairs": [task.text(ids) for ids in written[:30]],
        },
        recorded_curve(recorded) if recorded else (),
        ends[0],
    )


def _losses(known: list[Moment], pairs: int) -> Partial:
    """Return what can be seen before the first model is done."""
    steps = tuple(float(moment.step) for moment in known)
    losses = tuple(moment.valid_loss for moment in known)
    curve = Curve(f"validation loss, {pairs:,} pairs", steps, losses)
    return Partial((curve,), Axes("steps of training", "loss, nats a token"))


def recorded_curve(model: str) -> tuple[Result, ...]:
    """Return the learning curve that was recorded with a model, if there is one.

    A result without a verdict: it was not measured now.
    """
    folder = folder_at_hand(model)
    if folder is None:
        return ()
    measured = read_measurements(folder)
    curve = by_pairs(measured)
    if len(curve.x) < 2:
        return ()
    title = title_of(read_card(folder))
    minutes = max(study.log[-1].seconds for study in measured.studies if study.log) / 60
    sentence = (
        f"Recorded: models like {title}, trained for up to {minutes:.0f} minutes each, have a BLEU "
        f"of {curve.y[0]:.1f} after {curve.x[0]:,.0f} pairs of sentences and {curve.y[-1]:.1f} "
        f"after {curve.x[-1]:,.0f}."
    )
    return (
        Result(
            NONE,
            curve.y[0],
            "BLEU",
            sentence,
            (curve._replace(name=title),),
            Axes("pairs learnt from", "BLEU", logarithmic=True),
            "recorded when the models were trained",
            0,
            60 * minutes,
            {"pairs": list(curve.x), "BLEU": list(curve.y)},
            recorded=True,
        ),
    )
