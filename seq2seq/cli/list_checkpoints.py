"""Which checkpoints there are."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from seq2seq.catalogue import list_checkpoints
from seq2seq.cli.arguments import print_json


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("list", help="name the checkpoints at hand, and some of the Hub")
    command.add_argument("--json", action="store_true", help="print one JSON object a checkpoint")
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    for card in list_checkpoints().values():
        if values.json:
            print_json(asdict(card))
        else:
            where = f"\tfrom {card.hub}" if card.hub else ""
            print(f"{card.name}\t{card.task}\t{card.title}{where}")
