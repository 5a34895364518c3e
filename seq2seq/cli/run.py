"""Decode a text, a recording or a series, or one input a line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from seq2seq.data.audio import Audio
    from seq2seq.data.series import Series
    from seq2seq.decoding.options import Options


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("run", help="decode a text or a recording")
    add_checkpoint(command)
    command.add_argument(
        "text", nargs="?", help="the text, or - for one input a line on standard input"
    )
    command.add_argument("--audio", type=Path, help="a recording, in place of a text")
    command.add_argument(
        "--series", type=Path, help="a table of numbers as CSV or TSV, to be forecast"
    )
    command.add_argument("--horizon", type=int, help="steps to forecast (default: as is usual)")
    command.add_argument("--column", help="name of the column that is forecast (default: first)")
    command.add_argument("--frequency", default="", help="of the series: Y, Q, M, W, D, H, ...")
    command.add_argument(
        "--decimal", choices=[".", ","], default="", help="mark before decimals (default: as found)"
    )
    command.add_argument("--samples", type=int, help="paths sampled (default: as is usual)")
    command.add_argument(
        "--timestamps",
        action=argparse.BooleanOptionalAction,
        help="let a speech model write down times (default no)",
    )
    command.add_argument(
        "--json",
        action="store_true",
        help="print the whole record of the run; of a long recording, its transcript",
    )
    command.add_argument(
        "--self-attention", action="store_true", help="record self-attention too, for --json"
    )
    add_options(command)
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> int:
    given = given_options(values)
    if sum(each is not None for each in (values.text, values.audio, values.series)) != 1:
        raise UserError(
            "There is nothing to read: give a text, a recording with --audio or a table of numbers "
            "with --series."
        )
    if values.series is not None:
        return _forecast(values, given)
    import torch

    from seq2seq.data.audio import read_audio
    from seq2seq.inference.pipeline import run

    torch.set_num_threads(1)  # small tensors: a second thread costs more than it gives
    inputs: Iterable[str | Audio] = [read_audio(values.audio)] if values.audio else ()
    inputs = inputs or _texts(values.text)
    checkpoint, status = load_checkpoint(values), 0
    options = replace(checkpoint.generation_config.options, **given)
    if values.audio and _is_long(checkpoint, inputs):
        return _transcribe(checkpoint, inputs, options, values)
    for number, each in enumerate(inputs, start=1):
        try:
            trace = run(checkpoint, each, options, self_attention=values.self_attention)
        except UserError as error:
            if values.text != "-":
                raise
            print(f"seq2seq: line {number}: {error}", file=sys.stderr)
            status = 2
            continue
        for note in trace.notes:
            print(f"seq2seq: {note}", file=sys.stderr)
        print(trace.to_json().decode() if values.json else trace.text, flush=True)
    return status


def _is_long(checkpoint: Checkpoint, recordings: Iterable[str | Audio]) -> bool:
    from seq2seq.data.audio import HOP, Audio
    from seq2seq.inference.long_form import is_long

    frames = (len(each.samples) // HOP for each in recordings if isinstance(each, Audio))
    return any(is_long(checkpoint, count) for count in frames)


def _transcribe(
    checkpoint: Checkpoint, recordings: Any, options: Options, values: argparse.Namespace
) -> int:
    """Transcribe a recording window by window, and print its segments as they come."""
    from seq2seq.inference.long_form import Transcript, transcribe_long

    printed = 0

    def on_window(transcript: Transcript) -> None:
        nonlocal printed
        print(
            f"\rseq2seq: {transcript.seconds:,.0f} of {transcript.total:,.0f} s",
            end="" if transcript.seconds < transcript.total else "\n",
            file=sys.stderr,
            flush=True,
        )
        segments = transcript.segments
        for segment in () if values.json else segments[printed:]:
            times = f"[{segment.start:.2f} - {segment.end:.2f}] " if options.timestamps else ""
            print(f"{times}{segment.text}", flush=True)
        printed = len(segments)

    [recording] = recordings
    for note in recording.notes:
        print(f"seq2seq: {note}", file=sys.stderr)
    transcript = transcribe_long(checkpoint, recording, options, on_window=on_window)
    if values.json:
        print_json(transcript.to_dict())
    return 0


def _forecast(values: argparse.Namespace, given: dict[str, Any]) -> int:
    """Print the forecast of a table's column: its quantiles, or all of it as JSON."""
    import torch

    from seq2seq.data.frequency import frequency
    from seq2seq.inference.forecasting import LEVELS, forecast, usual_options

    torch.set_num_threads(1)
    series = _read_series(values)
    named: dict[str, Any] = {
        name: given[name] for name in ("temperature", "top_k", "seed") if name in given
    }
    if values.samples is not None:
        named |= {"samples": values.samples}
    checkpoint = load_checkpoint(values)
    horizon = values.horizon or frequency(series.frequency).horizon
    options = replace(usual_options(checkpoint), **named)
    found = forecast(checkpoint, series, horizon, options)
    about = f"{series.name}: {len(series):,} values, frequency {frequency(series.frequency).title}."
    for note in (about, *series.notes, *found.notes):
        print(f"seq2seq: {note}", file=sys.stderr)
    if values.json:
        named = {"checkpoint": checkpoint.card.name, "frequency": series.frequency}
        trace = None if found.trace is None else json.loads(found.trace.to_json())
        quantiles = {str(level): found.quantiles[:, at].tolist() for at, level in enumerate(LEVELS)}
        print_json({**named, "quantiles": quantiles, "paths": found.paths.tolist(), "trace": trace})
        return 0
    for step, row in enumerate(found.quantiles, start=1):
        print(f"{step:3} {row[4]:14.6g}   80 %: {row[0]:.6g} to {row[-1]:.6g}")
    return 0


def _read_series(values: argparse.Namespace) -> Series:
    from seq2seq.data.series_table import read_table, series_of

    try:
        table = read_table(values.series.read_bytes())
    except OSError:
        raise UserError(f"{values.series.name} cannot be read: check its path.") from None
    column = None
    if values.column is not None:
        if values.column not in table.names:
            names = ", ".join(table.names)
            raise UserError(f"There is no column {values.column[:60]!r}: it has {names[:300]}.")
        column = table.names.index(values.column)
    return series_of(table, column, values.frequency, values.decimal)


def _texts(text: str) -> Iterator[str]:
    if text != "-":
        yield text
        return
    for line in sys.stdin:
        yield line.rstrip("\n")
