"""Few examples and no regularisation: the training loss falls and the validation loss turns.

Srivastava et al. 2014. Rule: for the claim if, without dropout, the validation loss ends at least
5 % above its lowest point while the training loss ends below its value at that point; against it
otherwise; undecided where a slow machine did not take all steps. Both losses are of the same model
at the same moment, without dropout. Beside it, what dropout does. Rule: for the claim that it helps
if the validation loss ends at least 5 % lower with it; against it if 5 % higher; undecided
otherwise. And the recorded training of a translation model on few pairs.

Few pairs are as many as leave at least 100 weights for each target token. The model has 61,000
weights and a pair 4.8 target tokens, its end included, so that is at most 127 pairs; 100 is the
round number below.
"""

from __future__ import annotations

import time

from seq2seq.catalogue import folder_at_hand, read_card
from seq2seq.data.tasks import number_reading
from seq2seq.evaluation.results import Curve, Study, progress, read_measurements
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
    title_of,
)

TURNED = 1.05
HELD_OUT = 200
AXES = Axes("steps of training", "loss, nats a token")


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    pairs: int = 100,
    dropout: float = 0.4,
    steps: int = 500,
    recorded: str = "bilstm-attention-base-en-fr",
) -> Result:
    """Train on few pairs, without and with dropout; value: validation less training loss.

    recorded: the model whose training on few pairs is shown beside it, "" for none.
    """
    started, task = time.perf_counter(), number_reading(pairs, HELD_OUT, seed=seed)
    settings = Settings(steps, learning_rate=0.01, seed=seed)
    curves: dict[str, tuple[Curve, Curve]] = {}

    def trained(rate: float, place: int) -> list[Moment]:
        named, known = f", dropout {rate:g}" if rate else "", list[Moment]()

        def show(moment: Moment) -> Partial:
            known.append(moment)
            curves[named] = _curves(known, named)
            return Partial(tuple(curve for pair in curves.values() for curve in pair), AXES)

        model = small_gru(task, seed, width=64, dropout=rate)
        on_moment = share_of(settings, on_part, place, 2, show)
        return train(model, task.train, task.valid, settings, on_moment)

    plain, other = trained(0.0, 0), trained(dropout, 1)
    lowest = min(plain, key=lambda moment: moment.valid_loss)
    last = plain[-1]
    turned = last.valid_loss >= TURNED * lowest.valid_loss
    gap, whole = last.valid_loss - last.train_loss, is_whole(plain, settings)
    verdict = FOR if turned and last.train_loss < lowest.train_loss else AGAINST
    return Result(
        verdict if whole or verdict == FOR else UNDECIDED,
        gap,
        "nats a token apart",
        f"On {pairs} pairs the validation loss was lowest after {lowest.step:,} steps "
        f"({lowest.valid_loss:.2f}) and ended, after {last.step:,}, at {last.valid_loss:.2f}, the "
        f"training loss at {last.train_loss:.4f}: {gap:.2f} apart."
        + ("" if whole or verdict == FOR else cut_short(settings)),
        (*_curves(plain, ""), *_curves(other, f", dropout {dropout:g}")),
        AXES,
        f"{pairs} pairs, {HELD_OUT} held out, two trainings",
        seed,
        time.perf_counter() - started,
        {
            "steps": [each.step for each in plain],
            "training": [round(each.train_loss, 4) for each in plain],
            "validation": [round(each.valid_loss, 3) for each in plain],
        },
        (_dropout(plain, other, dropout, settings), *(recorded_run(recorded) if recorded else ())),
    )


def _dropout(
    plain: list[Moment], other: list[Moment], dropout: float, settings: Settings
) -> Result:
    """Return what dropout does to the validation loss at the end."""
    without, kept = plain[-1].valid_loss, other[-1].valid_loss
    whole = is_whole(plain, settings) and is_whole(other, settings)
    found = FOR if TURNED * kept <= without else AGAINST if kept >= TURNED * without else UNDECIDED
    return Result(
        found if whole else UNDECIDED,
        without - kept,
        "nats a token gained",
        f"With dropout {dropout:g} the validation loss ended at {kept:.2f}, without it at "
        f"{without:.2f}; at their lowest they were {_lowest(other):.2f} and {_lowest(plain):.2f}."
        + ("" if whole else cut_short(settings)),
        (_curves(plain, "")[1], _curves(other, f", dropout {dropout:g}")[1]),
        AXES,
        f"{HELD_OUT} held-out pairs, two trainings",
        settings.seed,
        plain[-1].seconds + other[-1].seconds,
        {
            "": ["lowest", "at the end"],
            "without dropout": [round(_lowest(plain), 3), round(without, 3)],
            "with dropout": [round(_lowest(other), 3), round(kept, 3)],
        },
    )


def _lowest(moments: list[Moment]) -> float:
    return min(moment.valid_loss for moment in moments)


def _curves(moments: list[Moment], named: str) -> tuple[Curve, Curve]:
    steps = tuple(float(moment.step) for moment in moments)
    return (
        Curve(f"training{named}", steps, tuple(moment.train_loss for moment in moments)),
        Curve(f"validation{named}", steps, tuple(moment.valid_loss for moment in moments)),
    )


def recorded_run(model: str) -> tuple[Result, ...]:
    """Return the training without regularisation that was recorded with a model, if there is one.

    A result without a verdict: it was not measured now.
    """
    folder = folder_at_hand(model)
    studies = read_measurements(folder).studies if folder else ()
    bare = next((each for each in studies if each.plain), None)
    if folder is None or bare is None:
        return ()
    kept = next((each for each in studies if not each.plain and each.pairs == bare.pairs), None)
    return (_long_run(title_of(read_card(folder)), bare, kept),)


def _long_run(title: str, bare: Study, kept: Study | None) -> Result:
    losses = [(line.step, line.valid_loss) for line in bare.log if line.valid_loss is not None]
    at, lowest = min(losses, key=lambda each: each[1])
    train = [line.loss for line in bare.log if line.loss is not None][-1]
    curves = [
        progress("training", bare.log, "loss"),
        progress("validation", bare.log, "valid_loss"),
    ]
    if kept is not None:
        curves.append(progress("validation, regularised", kept.log, "valid_loss"))
    return Result(
        NONE,
        losses[-1][1] - lowest,
        "nats a token above the lowest",
        f"Recorded: on {bare.pairs:,} pairs of sentences, without dropout and label smoothing, a "
        f"model like {title} had its lowest validation loss after {at:,} steps ({lowest:.2f}) and "
        f"ended, after {losses[-1][0]:,}, at {losses[-1][1]:.2f}, the training loss at "
        f"{train:.2f}.",
        tuple(curves),
        AXES,
        f"recorded when it was trained, {bare.log[-1].seconds / 60:.0f} minutes",
        0,
        bare.log[-1].seconds,
        {
            "step": [step for step, _ in losses],
            "validation loss": [round(loss, 3) for _, loss in losses],
        },
        recorded=True,
    )
