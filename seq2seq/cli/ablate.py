"""Train a recipe on less data, for the scores alone."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from seq2seq.cli.arguments import print_scores
from seq2seq.errors import UserError


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser(
        "ablate", help="train a recipe on less data, for the scores alone"
    )
    command.add_argument("folder", type=Path, help="of a checkpoint, with its recipe.toml")
    command.add_argument("--data", type=Path, required=True, help="folder of the recipe's files")
    command.add_argument("--pairs", type=int, required=True, help="read in every epoch")
    command.add_argument("--minutes", type=float, required=True)
    command.add_argument("--plain", action="store_true", help="no dropout, no label smoothing")
    command.add_argument("--work", type=Path, help="folder of the run (default: runs/study)")
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    if min(values.minutes, values.pairs) <= 0:
        raise UserError("--pairs and --minutes must be more than 0.")
    from seq2seq.training.ablation import Ablation, ablate
    from seq2seq.training.recipe import read_recipe

    recipe = read_recipe(values.folder / "recipe.toml")
    work = values.work or Path("runs") / "study"
    ablation = Ablation(values.pairs, values.minutes, values.plain)
    print_scores(values.folder, ablate(values.folder, recipe, values.data, work, ablation))
