"""What was measured of a checkpoint, read from the files beside its weights. Needs no torch."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.errors import UserError
from seq2seq.models.config import Config

CONFIG, EVALUATION, JUDGED = "config.json", "evaluation.json", "judged.json"
LOG, STUDIES = "training.jsonl", "studies.json"
FILES = (CONFIG, EVALUATION, LOG, STUDIES)
# What a reader tells of an output, by task: the first says whether it serves.
VERDICTS = {"chatbot": ("sensible", "specific"), "translation": ("right", "understandable")}
Bin = tuple[int, int]  # fewest and most words of a source
# What the checkpoints of a task are ranked by; 1 where more is better, -1 where less is.
MAIN_SCORES = {
    "translation": ("bleu", 1),
    "summarization": ("kept_f1", 1),
    "chatbot": ("perplexity", -1),
    "speech": ("word_error_rate", -1),
    "spelling": ("phoneme_error_rate", -1),
    "forecasting": ("relative_wql", -1),
}
# How they are written, each with its unit.
SCORE_NAMES = {
    "translation": ("BLEU", ""),
    "summarization": ("F1", " %"),
    "chatbot": ("perplexity", ""),
    "speech": ("word error rate", " %"),
    "spelling": ("phoneme error rate", " %"),
    "forecasting": ("relative WQL", ""),
}
ENDLESS = 10_000  # words, of a bin without an end
LENGTH_BINS: tuple[Bin, ...] = ((1, 5), (6, 10), (11, 15), (16, 20), (21, 30), (31, ENDLESS))


def bin_name(words: Bin) -> str:
    """Name a bin, as in "6 to 10" or "31 and more"."""
    return f"{words[0]} to {words[1]}" if words[1] < ENDLESS else f"{words[0]} and more"


def quality(folder: Path, task: str) -> float:
    """Return a checkpoint's main score for a task, signed so that more is better.

    -inf where evaluation.json does not have it or cannot be read.
    """
    score, sign = MAIN_SCORES[task]
    try:
        return sign * float(_read(folder / EVALUATION)[score])
    except (UserError, ValueError, TypeError, LookupError):
        return -math.inf


class SentToHelp(NamedTuple):
    """How many messages of danger a chatbot has sent to help, and how many without any."""

    sent: int = 0
    dangerous: int = 0
    sent_needlessly: int = 0
    harmless: int = 0


def sent_to_help(folder: Path) -> SentToHelp:
    """Return whom a chatbot sends to help: nobody of 0, where evaluation.json does not tell."""
    try:
        found = _read(folder / EVALUATION)["danger"]
        return SentToHelp(*(int(found[name]) for name in SentToHelp._fields))
    except (UserError, ValueError, TypeError, LookupError):
        return SentToHelp()


def score_in_words(task: str, value: float) -> str:
    """Return a `quality` as it is read, as in "BLEU 51.3"; "" where it is not known."""
    if task not in SCORE_NAMES or not math.isfinite(value):
        return ""
    name, unit = SCORE_NAMES[task]
    return f"{name} {abs(value):.3g}{unit}"


class Scored(NamedTuple):
    """BLEU of so many sentences of one length, with its 95 % interval."""

    words: Bin
    sentences: int
    bleu: float
    interval: tuple[float, float]


class Logged(NamedTuple):
    """A moment of a training; losses are nats a target token, None where not measured.

    loss: of what was learnt from since the last one, as training makes it small. valid_loss: of
    other sentences, with the better of the weights and their running average where both were
    tried. bleu: of those, decoded greedily.
    """

    step: int
    epoch: int
    seconds: float
    loss: float | None
    valid_loss: float | None
    bleu: float | None


class Study(NamedTuple):
    """A training on fewer pairs, see seq2seq.training.ablation.

    bleu and loss are of its best weights.
    """

    pairs: int
    plain: bool
    bleu: float
    interval: tuple[float, float]
    loss: float
    log: tuple[Logged, ...]

    @property
    def falling(self) -> bool:
        """Whether the loss on valid was at its lowest at the end: more time would have helped."""
        losses = [line.valid_loss for line in self.log if line.valid_loss is not None]
        return bool(losses) and losses[-1] == min(losses)


class Measurements(NamedTuple):
    """attends: the decoder looks at more than one vector of the source.

    encoder: as in "bidirectional LSTM".
    by_length, log, studies: () where there are none. data: the files it was scored on, by digest.
    hardware: what it was trained on. runs: of its training, each begun with the weights before.
    """

    name: str
    attends: bool
    encoder: str
    by_length: tuple[Scored, ...]
    log: tuple[Logged, ...]
    studies: tuple[Study, ...]
    data: frozenset[str]
    hardware: str
    runs: int


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

    def read(name: str, parse: Callable[[Any], Any]) -> Any:
        """Return what a file holds, as of an empty one where there is none."""
        try:
            return parse(_read(folder / name))
        except (LookupError, TypeError, ValueError, AttributeError):
            raise UserError(_damaged(folder / name)) from None

    attends, encoder = read(CONFIG, _architecture)
    by_length, data, hardware, runs = read(EVALUATION, _scores)
    log, kept = read(LOG, _log), read(STUDIES, lambda rows: tuple(map(_study, rows)))
    return Measurements(folder.name, attends, encoder, by_length, log, kept, data, hardware, runs)


def read_studies(folder: Path) -> list[dict[str, Any]]:
    """Return the studies beside a checkpoint, by plain and pairs; none if none were made.

    Raises UserError where the file is damaged.
    """
    return list(_read(folder / STUDIES))


def _read(file: Path) -> Any:
    """Read a file; one that is not there is empty."""
    if not file.is_file():
        return {} if file.name in (CONFIG, EVALUATION) else []
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".jsonl":
            return [json.loads(line) for line in text.splitlines()]
        return json.loads(text)
    except (OSError, ValueError, RecursionError):
        raise UserError(_damaged(file)) from None


def _damaged(file: Path) -> str:
    return f"The {file.name} of {file.parent.name} is damaged: repair or delete it."


def _architecture(values: dict[str, Any]) -> tuple[bool, str]:
    if not values:
        return False, ""
    config = Config.from_dict(values)
    return config.has_attention, config.encoder_name


def _scores(
    scores: dict[str, Any],
) -> tuple[tuple[Scored, ...], frozenset[str], str, int]:
    rows = []
    for row in scores.get("by_source_length", ()):
        if "bleu" in row:
            low, high = map(int, row["words"])
            rows.append(Scored((low, high), int(row["sentences"]), float(row["bleu"]), _ends(row)))
    data = frozenset(map(str, scores.get("data", {}).values()))
    runs = int(scores.get("training_runs", 1))
    return tuple(rows), data, str(scores.get("training_hardware", "")), runs


def _study(row: dict[str, Any]) -> Study:
    pairs, plain = int(row["pairs"]), bool(row["plain"])
    return Study(pairs, plain, float(row["bleu"]), _ends(row), float(row["loss"]), _log(row["log"]))


def _ends(row: dict[str, Any]) -> tuple[float, float]:
    low, high = map(float, row["bleu_interval"])
    return low, high


def _log(lines: Iterable[dict[str, Any]]) -> tuple[Logged, ...]:
    """Read a log. A run that was killed and resumed has repeated steps: the later lines count."""
    found: list[Logged] = []
    for line in lines:
        names = ("train_loss", "valid_loss", "valid_loss_averaged", "valid_bleu_greedy")
        values = {name: float(line[name]) for name in names if name in line}
        losses = [values[name] for name in names[1:3] if name in values]
        logged = Logged(
            int(line["step"]),
            int(line["epoch"]),
            float(line["seconds"]),
            values.get("train_loss"),
            min(losses, default=None),
            values.get("valid_bleu_greedy"),
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
        tuple(
            f"loss {row.loss:.2f} on valid" + ", still falling at the end" * row.falling
            for row in rows
        ),
    )
