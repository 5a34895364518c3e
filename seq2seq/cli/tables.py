"""Write the tables of checkpoints/README.md from the evaluation files beside the weights."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from seq2seq import catalogue
from seq2seq.errors import UserError


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser(
        "tables", help="write the tables of checkpoints/README.md from the evaluation files"
    )
    command.add_argument(
        "--check", action="store_true", help="write nothing; exit status 1 if they differ"
    )
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> int:
    from seq2seq.evaluation.tables import with_tables

    path = Path(catalogue.CHECKPOINTS) / "README.md"
    try:
        before = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise UserError(
            "The folder of checkpoints has no README.md with tables: run this in the repository."
        ) from None
    after = with_tables(before, path.parent)
    if before == after:
        return 0
    if values.check:
        print("seq2seq: the tables are out of date: run seq2seq tables.", file=sys.stderr)
        return 1
    path.write_text(after, encoding="utf-8")
    return 0
