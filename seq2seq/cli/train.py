"""Make a checkpoint from a recipe."""

from __future__ import annotations

import argparse
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seq2seq.catalogue import CHECKPOINTS, resolve
from seq2seq.cli.arguments import print_scores
from seq2seq.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("train", help="make a checkpoint from a recipe")
    command.add_argument("recipe", type=Path, help="a recipe.toml")
    command.add_argument("--data", type=Path, required=True, help="folder of the recipe's files")
    command.add_argument("--out", type=Path, help="folder to write (default: checkpoints/NAME)")
    command.add_argument("--work", type=Path, help="folder of the run (default: runs/NAME)")
    beginning = command.add_mutually_exclusive_group()
    beginning.add_argument(
        "--resume", action="store_true", help="go on with a run that was stopped"
    )
    beginning.add_argument("--start", metavar="CHECKPOINT", help="begin with its weights")
    command.add_argument("--minutes", type=float, help="fit the schedule to this time")
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    if values.minutes is not None and values.minutes <= 0:
        raise UserError(f"--minutes is {values.minutes}: give more than 0.")
    from seq2seq.training.export import finish
    from seq2seq.training.recipe import read_recipe
    from seq2seq.training.trainer import train

    recipe = read_recipe(values.recipe)
    start = None if values.start is None else resolve(values.start)
    if start is not None and start.hub:
        raise UserError(f"{values.start} is of the Hub: begin with a checkpoint of this library.")
    beginning = None if start is None else start.folder
    work = values.work or Path("runs") / recipe.name
    folder = values.out or CHECKPOINTS / recipe.name
    for path in (work, folder):
        if path.exists() and not path.is_dir():
            raise UserError(f"{path.name} is a file: name a folder.")
    with _full_disk():
        checkpoint = train(
            recipe, values.data, work, values.resume, values.minutes, start=beginning
        )
        if int(os.environ.get("RANK", "0")) == 0:
            print_scores(folder, finish(checkpoint, recipe, values.data, work, folder))


@contextmanager
def _full_disk() -> Iterator[None]:
    """Turn what a full disk raises, in Python, torch or safetensors, into a UserError."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if not _is_full_disk(error):
            raise
        raise UserError(
            "The disk is full: make room on it, then go on from the last saved state with --resume."
        ) from None


def _is_full_disk(error: BaseException | None) -> bool:
    """Tell whether an error, or what it comes from, is of a full disk, a quota or a limit."""
    if error is None:
        return False
    if isinstance(error, OSError) and error.errno in FULL:
        return True
    told = any(os.strerror(number) in str(error) for number in FULL)
    torchs = isinstance(error, RuntimeError) and "PytorchStreamWriter failed" in str(error)
    return told or torchs or _is_full_disk(error.__cause__ or error.__context__)
