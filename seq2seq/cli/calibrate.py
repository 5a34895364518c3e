"""Measure how often the checks of possible problems are right, for one checkpoint."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq.errors import UserError

if TYPE_CHECKING:
    from seq2seq.data.parallel_corpus import Pair


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser(
        "calibrate", help="measure how often the flags of possible problems are right"
    )
    command.add_argument("folder", type=Path, help="of a translation model, with its recipe.toml")
    command.add_argument("--data", type=Path, required=True, help="folder of the recipe's files")
    command.add_argument(
        "--pairs",
        nargs="+",
        help="validation files below it, of texts as visitors write them (default: the recipe's)",
    )
    command.add_argument("--limit", type=int, help="only the first so many validation pairs a file")
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    if values.limit is not None and values.limit < 1:
        raise UserError(f"--limit is {values.limit}: give at least 1.")
    from tqdm import tqdm

    from seq2seq.analysis.problems import CALIBRATION
    from seq2seq.checkpoint import load, replaced
    from seq2seq.data.parallel_corpus import read_pairs
    from seq2seq.training.calibration import calibrate, fingerprint
    from seq2seq.training.data_files import data_files
    from seq2seq.training.recipe import read_recipe

    recipe = read_recipe(values.folder / "recipe.toml")
    if recipe.card.task != "translation":
        raise UserError("Only translations are checked: give the folder of a translation model.")
    checkpoint = load(values.folder)

    def read(names: Sequence[str], limit: int | None = None) -> list[Pair]:
        paths = data_files(values.data, names)
        files = (read_pairs(path, recipe.data.columns) for path in paths)
        return [pair for pairs in files for pair in pairs[:limit]]

    names = values.pairs or [*recipe.data.valid, *recipe.data.longer]
    train, valid = read(recipe.data.train), read(names, values.limit)
    with tqdm(unit=" sentences") as bar:
        found = calibrate(checkpoint, train, valid, bar.update)
    found = {"weights": fingerprint(values.folder), "files": names, **found}
    with replaced(values.folder / CALIBRATION) as new:
        new.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for check in (*found["checks"], *found["dropped"]):
        limits = ", ".join(f"{name} < {limit:g}" for name, limit in check["limits"].items())
        kept = "kept" if check in found["checks"] else "dropped"
        print(
            f"{check['kind']}: {limits}; {check['flagged']} flagged, precision "
            f"{check['precision']:.2f} (of all words {check['base']:.2f}), recall "
            f"{check['recall']:.2f}: {kept}"
        )
