"""Upload a checkpoint, or all of them, to the Hugging Face Hub."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from seq2seq.catalogue import resolve
from seq2seq.errors import UserError


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("publish", help="upload checkpoints to the Hugging Face Hub")
    command.add_argument("checkpoint", nargs="?", help="a name from the list, or a folder")
    command.add_argument(
        "repository", nargs="?", help="USER/REPO or USER/REPO/SUBFOLDER, made if need be"
    )
    command.add_argument(
        "--all",
        metavar="USER/REPO",
        help="upload all checkpoints of ours in checkpoints/, each to a subfolder",
    )
    command.add_argument(
        "--cards",
        type=Path,
        metavar="FOLDER",
        help="write FOLDER/NAME/card.toml, which names the commit that was made",
    )
    command.add_argument(
        "--project",
        default="",
        metavar="URL",
        help="address that the model card links to; default: the package's, or the catalogue's",
    )
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    from seq2seq.hub.watchdog import progress_bar
    from seq2seq.training.publication import publish, publish_all, write_cards

    if bool(values.all) == bool(values.checkpoint) or bool(values.all) == bool(values.repository):
        raise UserError("publish takes a checkpoint and USER/REPO, or --all USER/REPO: give one.")
    if values.project and not values.project.startswith(("https://", "http://")):
        raise UserError(f"--project is {values.project!r}: give an address with https://.")
    with progress_bar("Publishing") as on_progress:
        if values.all:
            done = publish_all(values.all, on_progress=on_progress, project=values.project)
        else:
            folder = _folder(values.checkpoint)
            done = publish(
                folder, values.repository, on_progress=on_progress, project=values.project
            )
    if values.cards:
        write_cards(done.cards, values.cards)
    print(done.address)


def _folder(checkpoint: str) -> Path:
    folder = resolve(checkpoint).folder
    if folder is None:
        raise UserError(f"There is no folder {checkpoint}: publish one of your own.")
    return folder
