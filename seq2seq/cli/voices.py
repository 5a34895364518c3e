"""Recordings of synthetic voices to train a speech recognizer on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from seq2seq.errors import UserError


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("voices", help="make recordings of synthetic voices to train on")
    command.add_argument("archive", type=Path, help="the tar archive to write")
    command.add_argument(
        "--words", type=Path, required=True, help="pairs whose sources are spelled"
    )
    command.add_argument("--count", type=int, default=1_500, help="recordings (default: 1500)")
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    from seq2seq.data.parallel_corpus import read_pairs
    from seq2seq.training.synthetic_speech import make_speech, spellable

    if values.count < 1:
        raise UserError(f"--count is {values.count}: give at least 1.")
    make_speech(values.archive, spellable(read_pairs(values.words)), values.count)
