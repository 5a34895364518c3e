"""Decode a text, a recording, or one input a line."""

from __future__ import annotations

import argparse
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
)
from seq2seq.errors import UserError

if TYPE_CHECKING:
    from seq2seq.data.audio import Audio


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("run", help="decode a text or a recording")
    add_checkpoint(command)
    command.add_argument(
        "text", nargs="?", help="the text, or - for one input a line on standard input"
    )
    command.add_argument("--audio", type=Path, help="a recording, in place of a text")
    command.add_argument(
        "--timestamps",
        action=argparse.BooleanOptionalAction,
        help="let a speech model write down times (default no)",
    )
    command.add_argument("--json", action="store_true", help="print the whole record of the run")
    command.add_argument(
        "--self-attention", action="store_true", help="record self-attention too, for --json"
    )
    add_options(command)
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> int:
    given = given_options(values)
    if (values.text is None) == (values.audio is None):
        raise UserError("There is nothing to read: give a text, or a recording with --audio.")
    import torch

    from seq2seq.data.audio import read_audio
    from seq2seq.inference.pipeline import run

    torch.set_num_threads(1)  # small tensors: a second thread costs more than it gives
    inputs: Iterable[str | Audio] = [read_audio(values.audio)] if values.audio else ()
    inputs = inputs or _texts(values.text)
    checkpoint, status = load_checkpoint(values), 0
    options = replace(checkpoint.generation_config.options, **given)
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


def _texts(text: str) -> Iterator[str]:
    if text != "-":
        yield text
        return
    for line in sys.stdin:
        yield line.rstrip("\n")
