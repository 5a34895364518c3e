"""Make a checkpoint from a recipe."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from seq2seq.catalogue import CHECKPOINTS, locate, on_hub
from seq2seq.cli.arguments import print_scores
from seq2seq.errors import UserError


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
    if values.start is not None and on_hub(values.start):
        raise UserError(f"{values.start} is of the Hub: begin with a checkpoint of this library.")
    start = None if values.start is None else locate(values.start)
    work = values.work or Path("runs") / recipe.name
    folder = values.out or CHECKPOINTS / recipe.name
    for path in (work, folder):
        if path.exists() and not path.is_dir():
            raise UserError(f"{path.name} is a file: name a folder.")
    checkpoint = train(recipe, values.data, work, values.resume, values.minutes, start=start)
    if int(os.environ.get("RANK", "0")) == 0:
        print_scores(folder, finish(checkpoint, recipe, values.data, work, folder))
