"""Score a checkpoint on a file of pairs or of series, or an archive of recordings."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from seq2seq.cli.arguments import (
    add_checkpoint,
    add_options,
    given_options,
    load_checkpoint,
    print_json,
)
from seq2seq.errors import UserError

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.options import Options


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser(
        "evaluate", help="score a checkpoint on pairs, recordings or series"
    )
    add_checkpoint(command)
    command.add_argument(
        "pairs",
        type=Path,
        help="tab-separated pairs or series, plain or .xz or .gz; for speech, a tar or zip archive",
    )
    command.add_argument(
        "--longer", type=Path, nargs="+", default=[], help="more pairs, scored by length only"
    )
    command.add_argument(
        "--limit", type=int, help="only the first so many pairs, recordings or series"
    )
    command.add_argument(
        "--split", metavar="NAME", help="the recordings of another split of the archive than valid"
    )
    command.add_argument(
        "--speakers",
        metavar="NAME",
        nargs="+",
        default=[],
        help="the recordings of these speakers only, of all splits unless --split names one",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    add_options(command)
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    given = given_options(values)
    if values.limit is not None and values.limit < 1:
        raise UserError(f"--limit is {values.limit}: give at least 1.")
    from tqdm import tqdm

    checkpoint = load_checkpoint(values)
    options = replace(checkpoint.generation_config.options, **given)
    work = _planned(values, checkpoint, options)
    with tqdm(total=work.total, unit=f" {work.unit}") as bar:
        scores = work.score(lambda count: bar.update(count) and None)
    if values.json:
        about = {"checkpoint": checkpoint.card.name, "precision": checkpoint.precision}
        print_json({**about, "options": asdict(options), **scores})
        return
    for name, value in scores.items():
        if not name.startswith("by_"):
            print(f"{name:22} {value}")
    for row in scores.get("by_source_length", ()):
        low, high = row["words"]
        print(f"{low:3}-{high:<6} words: {row}")


class _Work(NamedTuple):
    """What is scored: how many of what, and a function of what is told of each part done."""

    total: int
    unit: str
    score: Callable[..., dict[str, Any]]


def _planned(values: argparse.Namespace, checkpoint: Checkpoint, options: Options) -> _Work:
    """Read what the checkpoint can be scored on. Raises UserError for what is not of its kind."""
    from seq2seq.data.series import read_series
    from seq2seq.evaluation.evaluate import evaluate, read_references
    from seq2seq.evaluation.forecast_metrics import evaluate_series

    source = checkpoint.model.config.input
    if source == "audio":
        return _speech(values, checkpoint, options)
    if values.split or values.speakers:
        name = "--split" if values.split else "--speakers"
        raise UserError(f"{name} is of an archive of recordings: leave it out.")
    if source == "series" and values.longer:
        raise UserError("--longer is for texts: leave it out for series.")
    if source == "series":
        series = read_series(values.pairs)[: values.limit]
        return _Work(len(series), "series", partial(evaluate_series, checkpoint, series, options))
    pairs = read_references(checkpoint, values.pairs)[: values.limit]
    longer = [pair for file in values.longer for pair in read_references(checkpoint, file)]
    total = len({pair.source for pair in pairs + longer})
    return _Work(total, "sentences", partial(evaluate, checkpoint, pairs, options, longer=longer))


def _speech(values: argparse.Namespace, checkpoint: Checkpoint, options: Options) -> _Work:
    from seq2seq.data.speech_corpus import read_speech
    from seq2seq.evaluation.evaluate_speech import evaluate_speech

    if values.longer:
        raise UserError("--longer is for texts: leave it out for recordings.")
    split = values.split or ("" if values.speakers else "valid")
    recordings = read_speech(values.pairs, split, values.speakers)[: values.limit]
    score = partial(evaluate_speech, checkpoint, {values.pairs.stem: recordings}, options)
    return _Work(len(recordings), "recordings", score)
