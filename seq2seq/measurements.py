"""What was measured of a checkpoint, read from the files beside its weights. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.errors import UserError

CONFIG, EVALUATION = "config.json", "evaluation.json"
LOG, STUDIES = "training.jsonl", "studies.json"
Bin = tuple[int, int]  # fewest and most words of a source


class Scored(NamedTuple):
    """BLEU of so many sentences of one length, with its 95 % interval."""

    words: Bin
    sentences: int
    bleu: float
    interval: tuple[float, float]


class Logged(NamedTuple):
    """A moment of a training; losses are nats a target token, None where not measured.

    loss: of what was learnt from since the last one, as training makes it small. valid_loss: of
    other sentences, with the better of the weights and their running average. bleu: of those,
    decoded greedily.
    """

    step: int
    epoch: int
    seconds: float
    loss: float | None
    valid_loss: float | None
    bleu: float | None


class Study(NamedTuple):
    """A training on fewer pairs, see seq2seq.study; bleu and loss are of its best weights."""

    pairs: int
    plain: bool
    bleu: float
    interval: tuple[float, float]
    loss: float
    log: tuple[Logged, ...]


class Measurements(NamedTuple):
    """attends: the decoder looks at more than one vector of the source.

    by_length, log, studies: () where there are none. hardware: what it was trained on.
    """

    name: str
    attends: bool
    by_length: tuple[Scored, ...]
    log: tuple[Logged, ...]
    studies: tuple[Study, ...]
    hardware: str


class Curve(NamedTuple):
    """Points of a chart, in the order of x.

    low, high: the 95 % interval of each y, () for none. notes: what else is known of each point.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


def read_measurements(folder: Path) -> Measurements:
    """Read the files beside a checkpoint's weights. Raises UserError where one is damaged."""
    config, scores = _read(folder / CONFIG) or {}, _read(folder / EVALUATION) or {}
    log, kept = _read(folder / LOG) or [], read_studies(folder)
    try:
        return Measurements(
            folder.name,
            config.get("architecture") == "transformer" or config.get("attention") != "none",
            tuple(
                Scored(tuple(row["words"]), row["sentences"], row["bleu"], _pair(row))
                for row in scores.get("by_source_length", ())
                if "bleu" in row
            ),
            _log(log),
            tuple(
                Study(
                    each["pairs"],
                    each["plain"],
                    each["bleu"],
                    _pair(each),
                    each["loss"],
                    _log(each["log"]),
                )
                for each in kept
            ),
            str(scores.get("training_hardware", "")),
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        raise UserError(
            f"What was measured of {folder.name} cannot be read: measure it again with assess."
        ) from None


def read_studies(folder: Path) -> list[dict[str, Any]]:
    """Return the studies beside a checkpoint, by plain and pairs; none if none were made."""
    return _read(folder / STUDIES) or []


def _read(file: Path) -> Any:
    if not file.is_file():
        return None
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".jsonl":
            return [json.loads(line) for line in text.splitlines()]
        return json.loads(text)
    except (OSError, ValueError, RecursionError):
        raise UserError(f"The {file.name} of {file.parent.name} is damaged: mend it.") from None


def _pair(row: dict[str, Any]) -> tuple[float, float]:
    low, high = row["bleu_interval"]
    return float(low), float(high)


def _log(lines: Iterable[dict[str, Any]]) -> tuple[Logged, ...]:
    """Read a log. A run that was killed and resumed has repeated steps: the later lines count."""
    found: list[Logged] = []
    for line in lines:
        losses = [line[key] for key in ("valid_loss", "valid_loss_averaged") if key in line]
        logged = Logged(
            int(line["step"]),
            int(line["epoch"]),
            float(line["seconds"]),
            line.get("train_loss"),
            min(losses, default=None),
            line.get("valid_bleu_greedy"),
        )
        if found and found[-1].step > logged.step:
            found = [each for each in found if each.step < logged.step]
        if logged not in found[-1:]:
            found.append(logged)
    return tuple(found)


def bins(of: Iterable[Measurements]) -> list[Bin]:
    """Return the lengths that any of them was scored at, shortest first."""
    return sorted({scored.words for each in of for scored in each.by_length})


def by_length(measured: Measurements, places: Sequence[Bin]) -> Curve:
    """Return BLEU by the length of the source; x: place of a length among `places`, from 1."""
    rows = sorted(measured.by_length)
    return Curve(
        measured.name,
        tuple(places.index(row.words) + 1 for row in rows),
        tuple(row.bleu for row in rows),
        tuple(row.interval[0] for row in rows),
        tuple(row.interval[1] for row in rows),
        tuple(f"{row.sentences} sentences" for row in rows),
    )


def progress(
    name: str, log: Iterable[Logged], value: str, over: str = "step", each: float = 1
) -> Curve:
    """Return what was logged; value: `loss`, `valid_loss` or `bleu`; over: `step` or `seconds`.

    each: by how much what it is drawn over is divided, as 60 for minutes.
    """
    lines = [line for line in log if getattr(line, value) is not None]
    return Curve(
        name,
        tuple(getattr(line, over) / each for line in lines),
        tuple(getattr(line, value) for line in lines),
        notes=tuple(f"pass {line.epoch + 1} over the data" for line in lines),
    )


def by_pairs(measured: Measurements) -> Curve:
    """Return BLEU by the number of pairs that a model like this one was trained on."""
    rows = sorted(each for each in measured.studies if not each.plain)
    return Curve(
        measured.name,
        tuple(row.pairs for row in rows),
        tuple(row.bleu for row in rows),
        tuple(row.interval[0] for row in rows),
        tuple(row.interval[1] for row in rows),
        tuple(f"loss {row.loss:.2f} on valid{_still(row)}" for row in rows),
    )


def _still(study: Study) -> str:
    """Say that more time would have helped, where valid was at its best at the end."""
    losses = [line.valid_loss for line in study.log if line.valid_loss is not None]
    return ", still falling at the end" if losses and losses[-1] == min(losses) else ""
