"""Make a checkpoint from a recipe."""

from __future__ import annotations

import argparse
import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seq2seq.catalogue import CHECKPOINTS, resolve
from seq2seq.cli.arguments import print_json, print_scores
from seq2seq.errors import UserError

if TYPE_CHECKING:
    from seq2seq.training.loop import Event
    from seq2seq.training.recipe import Recipe

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("train", help="make a checkpoint from a recipe")
    command.add_argument("recipe", type=Path, nargs="?", help="a recipe.toml")
    command.add_argument("--task", help="a generated task, instead of a recipe: reverse, dates ...")
    command.add_argument("--data", type=Path, help="folder of the recipe's files")
    command.add_argument("--out", type=Path, help="folder to write (default: checkpoints/NAME)")
    command.add_argument("--work", type=Path, help="folder of the run (default: runs/NAME)")
    beginning = command.add_mutually_exclusive_group()
    beginning.add_argument(
        "--resume", action="store_true", help="go on with a run that was stopped"
    )
    beginning.add_argument("--start", metavar="CHECKPOINT", help="begin with its weights")
    command.add_argument("--minutes", type=float, help="fit the schedule to this time")
    command.add_argument("--json", action="store_true", help="print each event as a JSON object")
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    if values.minutes is not None and values.minutes <= 0:
        raise UserError(f"--minutes is {values.minutes}: give more than 0.")
    if (values.recipe is None) == (values.task is None):
        raise UserError("train makes a checkpoint from one thing: name a recipe.toml or a --task.")
    if values.task is not None and values.work is None:
        with tempfile.TemporaryDirectory(prefix="seq2seq-") as work:
            _train(values, Path(work))
    else:
        _train(values, values.work)


def _recipe_of(values: argparse.Namespace) -> Recipe:
    from seq2seq.training.recipe import parse_recipe, read_recipe
    from seq2seq.training.task_recipe import task_recipe

    recipe = read_recipe(values.recipe) if values.recipe else parse_recipe(task_recipe(values.task))
    if recipe.data.task or values.data is not None:
        return recipe
    raise UserError("The recipe reads files: give their folder as --data.")


def _train(values: argparse.Namespace, work: Path | None) -> None:
    from seq2seq.training.export import finish, finish_pairs
    from seq2seq.training.trainer import train

    recipe = _recipe_of(values)
    start = None if values.start is None else resolve(values.start)
    if start is not None and start.hub:
        raise UserError(f"{values.start} is of the Hub: begin with a checkpoint of this library.")
    beginning = None if start is None else start.folder
    work = work or Path("runs") / recipe.name
    folder = values.out or CHECKPOINTS / recipe.name
    for path in (work, folder):
        if path.exists() and not path.is_dir():
            raise UserError(f"{path.name} is a file: name a folder.")
    data, on_event = values.data or work, _print_event if values.json else _nothing
    with _full_disk():
        checkpoint = train(
            recipe, data, work, values.resume, values.minutes, start=beginning, on_event=on_event
        )
        if int(os.environ.get("RANK", "0")) != 0:
            return
        write = finish_pairs if recipe.data.score == "exact_match" else finish
        scores = write(checkpoint, recipe, data, work, folder)
    if values.json:
        print_json({"event": "finished", "folder": str(folder), **scores})
    else:
        print_scores(folder, scores)


def _nothing(event: Event) -> None:
    """Tell nothing: the bar does."""


def _print_event(event: Event) -> None:
    """Print steps and evaluations; the end is printed once the folder is written."""
    from seq2seq.training.loop import Evaluated, Step

    if isinstance(event, Step):
        values = {"event": "step", "step": event.number, "seconds": round(event.seconds, 3)}
        values |= {"loss": float(event.loss), "gradient_norm": float(event.norm)}
        print_json(values | {"learning_rate": event.learning_rate, "tokens": event.tokens})
    elif isinstance(event, Evaluated):
        values = {"event": "evaluated", "step": event.step, "seconds": round(event.seconds, 3)}
        print_json(values | {"better": event.better, **event.scores})


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
