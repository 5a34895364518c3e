"""Write a checkpoint's scores and model card anew."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from seq2seq.cli.arguments import print_scores


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("assess", help="write a checkpoint's scores and model card anew")
    command.add_argument("folder", type=Path, help="with the recipe.toml and training.jsonl")
    command.add_argument("--data", type=Path, required=True, help="folder of the recipe's files")
    command.add_argument(
        "--held-out",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="checkpoints of the recipe without some speakers, to be scored on those",
    )
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    from seq2seq.training.export import assess
    from seq2seq.training.recipe import read_recipe

    recipe = read_recipe(values.folder / "recipe.toml")
    scores = assess(values.folder, recipe, values.data, held_out=values.held_out)
    print_scores(values.folder, scores)
