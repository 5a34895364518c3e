"""The examples that pages show first: what is written for them, and whether a reader accepts it."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("examples", help="run the examples that pages show first")
    command.add_argument(
        "--check", action="store_true", help="exit with 1 where an output was not accepted"
    )
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> int:
    from seq2seq import catalogue
    from seq2seq.evaluation.examples import BETWEEN, check, reviewed, unreviewed

    wrong, at_hand = 0, catalogue.embedded()
    listed = [each for each in reviewed() if each.checkpoint in at_hand]
    for found in check([*listed, *unreviewed()]):
        example = found.example
        wrong += not found.is_accepted
        mark = "ok" if found.is_accepted else "NOT ACCEPTED" if example.accepted else "NOT REVIEWED"
        print(f"{mark}\t{example.checkpoint}\t{example.source}\t{found.output}")
        if not found.is_accepted and example.accepted:
            print(f"\taccepted: {BETWEEN.join(example.accepted)}")
    return int(values.check and wrong > 0)
