"""Upload a checkpoint to the Hugging Face Hub."""

from __future__ import annotations

import argparse
from typing import Any

from seq2seq.catalogue import resolve
from seq2seq.errors import UserError


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("publish", help="upload a checkpoint to the Hugging Face Hub")
    command.add_argument("checkpoint", help="a name from the list, or a folder")
    command.add_argument("repository", help="USER/REPO or USER/REPO/SUBFOLDER, made if need be")
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    from seq2seq.hub.watchdog import progress_bar
    from seq2seq.training.export import publish

    folder = resolve(values.checkpoint).folder
    if folder is None:
        raise UserError(f"There is no folder {values.checkpoint}: publish one of your own.")
    with progress_bar("Publishing") as on_progress:
        address = publish(folder, values.repository, on_progress=on_progress)
    print(address)
