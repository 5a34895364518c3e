"""Score a checkpoint on a file of pairs or of series, or an archive of recordings."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from seq2seq.cli.arguments import (
    add_checkpoint,
    add_options,
    given_options,
    load_checkpoint,
    print_json,
)
from seq2seq.errors import UserError


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
        help="the recordings of these speakers only, of all splits",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    add_options(command)
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    given = given_options(values)
    if values.limit is not None and values.limit < 1:
        raise UserError(f"--limit is {values.limit}: give at least 1.")
    from tqdm import tqdm

    from seq2seq.data.series import read_series
    from seq2seq.data.speech_corpus import read_speech
    from seq2seq.evaluation.evaluate import evaluate, read_references
    from seq2seq.evaluation.evaluate_speech import evaluate_speech
    from seq2seq.evaluation.forecast_metrics import evaluate_series

    checkpoint = load_checkpoint(values)
    if (values.split or values.speakers) and checkpoint.model.config.input != "audio":
        name = "--split" if values.split else "--speakers"
        raise UserError(f"{name} is of an archive of recordings: leave it out for texts.")
    options = replace(checkpoint.generation_config.options, **given)
    score: Callable[..., dict[str, Any]]
    if checkpoint.model.config.input == "audio":
        split = values.split or ("" if values.speakers else "valid")
        recordings = read_speech(values.pairs, split, values.speakers)[: values.limit]
        total, unit = len(recordings), " recordings"
        if values.longer:
            raise UserError("--longer is for texts: leave it out for recordings.")
        score = partial(evaluate_speech, checkpoint, {values.pairs.stem: recordings}, options)
    elif checkpoint.model.config.input == "series":
        series = read_series(values.pairs)[: values.limit]
        total, unit = len(series), " series"
        score = partial(evaluate_series, checkpoint, series, options)
    else:
        pairs = read_references(checkpoint, values.pairs)[: values.limit]
        longer = [pair for file in values.longer for pair in read_references(checkpoint, file)]
        total, unit = len({pair.source for pair in pairs + longer}), " sentences"
        score = partial(evaluate, checkpoint, pairs, options, longer=longer)
    with tqdm(total=total, unit=unit) as bar:
        scores = score(lambda count: bar.update(count) and None)
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
