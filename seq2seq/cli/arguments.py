"""What several commands share: their arguments, and how results are printed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from seq2seq.catalogue import PRECISIONS, resolve
from seq2seq.decoding.options import METHODS, Options
from seq2seq.errors import UserError

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint


OPTION_HELP = {
    "beam_width": "hypotheses kept at each step (default 5)",
    "length_penalty": "alpha in score = log P / length ** alpha (default 1)",
    "coverage_penalty": "beta, lowers the score for source tokens without attention (default 0)",
    "mmi_weight": "of log P(output) without its source, taken off the score (default 0)",
    "n_best": "outputs returned (default 5)",
    "temperature": "of the sampling (default 1)",
    "top_k": "sample from the k most probable tokens (default 0: all)",
    "top_p": "sample from the most probable tokens of this mass (default 1)",
    "seed": "of the sampling (default 0)",
    "max_length": "most tokens written (default: from the length of the source)",
    "min_length": "fewest tokens written (default 0)",
    "no_repeat_ngram": "n-grams of this size occur once only (default 0: off)",
    "repetition_penalty": "what was written becomes so much less likely (default 1: off)",
    "prefix": "text that the output begins with",
    "instruction": "text put before the source, or the name of one that the model knows, such as "
    "abstract (default: the model's own, if it has one)",
    "source_language": "code of the source's language, for models that know several",
    "target_language": "code of the output's language, for models that know several",
}


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are a user's."""

    def error(self, message: str) -> NoReturn:
        """Raise UserError."""
        raise UserError(f"{message}; see {self.prog} --help")


def add_checkpoint(command: argparse.ArgumentParser) -> None:
    """Add what names a checkpoint."""
    command.add_argument(
        "checkpoint", help="a name from the list, a folder, or USER/REPO[@REVISION] of the Hub"
    )
    command.add_argument(
        "--yes", action="store_true", help="fetch a model of more than 500 MB without asking"
    )


def load_checkpoint(values: argparse.Namespace) -> Checkpoint:
    """Load the checkpoint that the command names, with a bar for what has to be fetched."""
    from seq2seq import hub
    from seq2seq.checkpoint import load
    from seq2seq.hub.watchdog import progress_bar

    identifier = resolve(values.checkpoint).hub
    if identifier and not hub.is_cached(identifier):
        repository = hub.inspect(identifier)
        if repository.bytes > hub.ASK_ABOVE and not values.yes and not hub.is_cached(repository):
            raise UserError(
                f"{identifier} takes {repository.bytes / 1e6:,.0f} MB: add --yes to fetch it."
            )
    with progress_bar(values.checkpoint) as show:
        checkpoint = load(values.checkpoint, on_progress=show, precision=values.precision)
    for note in checkpoint.notes:
        print(f"seq2seq: {note}", file=sys.stderr)
    return checkpoint


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the search."""
    command.add_argument(
        "--precision", choices=PRECISIONS, help="of the search (default: what the card allows)"
    )
    command.add_argument("--method", choices=METHODS, help="decoding method (default beam)")
    command.add_argument(
        "--early-stopping",
        action=argparse.BooleanOptionalAction,
        help="end a beam as soon as enough outputs are complete (default yes)",
    )
    for field in fields(Options):
        if field.name in OPTION_HELP:
            flag = "--" + field.name.replace("_", "-")
            command.add_argument(
                flag, type=type(field.default), help=OPTION_HELP[field.name], metavar="X"
            )


def given_options(values: argparse.Namespace) -> dict[str, Any]:
    """Return the options that the command sets; the rest is as the checkpoint has it."""
    names = ("method", "early_stopping", "timestamps", *OPTION_HELP)
    options = {name: getattr(values, name, None) for name in names}
    given = {name: value for name, value in options.items() if value is not None}
    Options(**given)  # a mistake is better found before anything is loaded
    return given


def print_json(value: Any) -> None:
    """Print one JSON object on a line of standard output."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode() + "\n")


def print_scores(folder: Path, scores: Mapping[str, Any]) -> None:
    """Print the scores that a training is judged by."""
    names = "bleu chrf kept_f1 distinct_2 word_error_rate relative_mase relative_wql loss"
    shown = [*names.split(), "milliseconds", "exact_match", "token_accuracy", "seconds"]
    print(f"{folder}: " + ", ".join(f"{key} {scores[key]}" for key in shown if key in scores))
