"""The command line. A user's mistake is one line and exit status 2."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from seq2seq.catalogue import CHECKPOINTS, PRECISIONS, embedded, locate, offered, on_hub
from seq2seq.decoding.options import METHODS, Options
from seq2seq.errors import UserError

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.data.audio import Audio

# glibc gives freed memory back to the system and faults it in again at every training step, unless
# told otherwise before the process starts: this is a third of the time.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}
OPTION_HELP = {
    "beam_width": "hypotheses kept at each step (default 5)",
    "length_penalty": "alpha in score = log P / length ** alpha (default 1)",
    "coverage_penalty": "beta, punishes source tokens never looked at (default 0)",
    "n_best": "outputs returned (default 5)",
    "temperature": "of the sampling (default 1)",
    "top_k": "sample from the k most probable tokens (default 0: all)",
    "top_p": "sample from the most probable tokens of this mass (default 1)",
    "seed": "of the sampling (default 0)",
    "max_length": "most tokens written (default: from the length of the source)",
    "min_length": "fewest tokens written (default 0)",
    "no_repeat_ngram": "n-grams of this size occur once only (default 0: off)",
    "prefix": "text that the output begins with",
    "instruction": "text put before the source (default: the model's own, if it has one)",
    "source_language": "code of the source's language, for models that know several",
    "target_language": "code of the output's language, for models that know several",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        with suppress(AttributeError):  # a stand-in, as in a test
            stream.reconfigure(  # type: ignore[union-attr]
                encoding="utf-8", errors="replace"
            )
    try:
        values = _parser().parse_args(arguments)
        status = values.command(values) or 0
        sys.stdout.flush()
    except UserError as error:
        print(f"seq2seq: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("seq2seq: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has had enough; Python's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m seq2seq", description="Encoder-decoder models, seen inside.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    command = commands.add_parser("list", help="name the checkpoints at hand, and some of the Hub")
    command.add_argument("--json", action="store_true", help="print one JSON object a checkpoint")
    command.set_defaults(command=_list)

    command = commands.add_parser("run", help="decode a text or a recording")
    _add_checkpoint(command)
    command.add_argument(
        "text", nargs="?", help="the text, or - for one input a line on standard input"
    )
    command.add_argument("--audio", type=Path, help="a recording, in place of a text")
    command.add_argument(
        "--timestamps",
        action=argparse.BooleanOptionalAction,
        help="let a speech model write down times (default no)",
    )
    command.add_argument("--json", action="store_true", help="print the whole record of the run")
    command.add_argument(
        "--self-attention", action="store_true", help="record self-attention too, for --json"
    )
    _add_options(command)
    command.set_defaults(command=_run)

    command = commands.add_parser("evaluate", help="score a checkpoint on a file of pairs")
    _add_checkpoint(command)
    command.add_argument(
        "pairs", type=Path, help="tab-separated, plain or .xz or .gz; for speech, a .tar archive"
    )
    command.add_argument(
        "--longer", type=Path, nargs="+", default=[], help="more pairs, scored by length only"
    )
    command.add_argument("--limit", type=int, help="only the first so many pairs or recordings")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    _add_options(command)
    command.set_defaults(command=_evaluate)

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
    command.set_defaults(command=_train)

    command = commands.add_parser("assess", help="write a checkpoint's scores and model card anew")
    command.add_argument("folder", type=Path, help="with the recipe.toml and training.jsonl")
    command.add_argument("--data", type=Path, required=True, help="folder of the recipe's files")
    command.set_defaults(command=_assess)

    command = commands.add_parser("study", help="train a recipe on less data, for the scores alone")
    command.add_argument("folder", type=Path, help="of a checkpoint, with its recipe.toml")
    command.add_argument("--data", type=Path, required=True, help="folder of the recipe's files")
    command.add_argument("--pairs", type=int, required=True, help="read in every epoch")
    command.add_argument("--minutes", type=float, required=True)
    command.add_argument("--plain", action="store_true", help="no dropout, no label smoothing")
    command.add_argument("--work", type=Path, help="folder of the run (default: runs/study)")
    command.set_defaults(command=_study)

    command = commands.add_parser("benchmark", help="time the decoding beside other libraries'")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("--quick", action="store_true", help="a tiny model, for a few seconds")
    command.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N")
    command.add_argument("--rounds", type=int, default=5, metavar="N", help="default 5")
    command.set_defaults(command=_benchmark)

    command = commands.add_parser("publish", help="upload a checkpoint to the Hugging Face Hub")
    command.add_argument("checkpoint", help="a name from the list, or a folder")
    command.add_argument("repository", help="USER/REPO or USER/REPO/SUBFOLDER, made if need be")
    command.set_defaults(command=_publish)
    return parser


def _add_checkpoint(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "checkpoint", help="a name from the list, a folder, or USER/REPO[@REVISION] of the Hub"
    )
    command.add_argument(
        "--yes", action="store_true", help="fetch a model of more than 500 MB without asking"
    )


def _load(values: argparse.Namespace) -> Checkpoint:
    """Load the checkpoint that the command names, with a bar for what has to be fetched."""
    from seq2seq import hub
    from seq2seq.checkpoint import load
    from seq2seq.hub.watchdog import progress_bar

    identifier = on_hub(values.checkpoint)
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


def _add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--precision", choices=PRECISIONS, help="of the search (default: what the card allows)"
    )
    command.add_argument("--method", choices=METHODS, help="how to search (default beam)")
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


def _given(values: argparse.Namespace) -> dict[str, Any]:
    """Return the options that the command sets; the rest is as the checkpoint has it."""
    names = ("method", "early_stopping", "timestamps", *OPTION_HELP)
    options = {name: getattr(values, name, None) for name in names}
    given = {name: value for name, value in options.items() if value is not None}
    Options(**given)  # a mistake is better found before anything is loaded
    return given


def _print_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode() + "\n")


def _list(values: argparse.Namespace) -> None:
    for card in (embedded() | offered()).values():
        if values.json:
            _print_json(asdict(card))
        else:
            where = f"\tfrom {card.hub}" if card.hub else ""
            print(f"{card.name}\t{card.task}\t{card.title}{where}")


def _run(values: argparse.Namespace) -> int:
    given = _given(values)
    if (values.text is None) == (values.audio is None):
        raise UserError("There is nothing to read: give a text, or a recording with --audio.")
    import torch

    from seq2seq.data.audio import read_audio
    from seq2seq.inference.pipeline import run

    torch.set_num_threads(1)  # small tensors: a second thread costs more than it gives
    inputs: Iterable[str | Audio] = [read_audio(values.audio)] if values.audio else ()
    inputs = inputs or _texts(values.text)
    checkpoint, status = _load(values), 0
    options = replace(checkpoint.generation_config.options, **given)
    for number, each in enumerate(inputs, start=1):
        try:
            trace = run(checkpoint, each, options, self_attention=values.self_attention)
        except UserError as error:
            if values.text != "-":
                raise
            print(f"seq2seq: line {number}: {error}", file=sys.stderr)
            status = 2
            continue
        for note in trace.notes:
            print(f"seq2seq: {note}", file=sys.stderr)
        print(trace.to_json().decode() if values.json else trace.text, flush=True)
    return status


def _texts(text: str) -> Iterator[str]:
    if text != "-":
        yield text
        return
    for line in sys.stdin:
        yield line.rstrip("\n")


def _evaluate(values: argparse.Namespace) -> None:
    given = _given(values)
    if values.limit is not None and values.limit < 1:
        raise UserError(f"--limit is {values.limit}: give at least 1.")
    from tqdm import tqdm

    from seq2seq.data.speech_corpus import read_speech
    from seq2seq.evaluation.evaluate import evaluate, evaluate_speech, read_references

    checkpoint = _load(values)
    options = replace(checkpoint.generation_config.options, **given)
    score: Callable[..., dict[str, Any]]
    if checkpoint.model.config.input == "audio":
        recordings = read_speech(values.pairs, "valid")[: values.limit]
        total, unit = len(recordings), " recordings"
        if values.longer:
            raise UserError("--longer is for texts: leave it out for recordings.")
        score = partial(evaluate_speech, checkpoint, {values.pairs.stem: recordings}, options)
    else:
        pairs = read_references(checkpoint, values.pairs)[: values.limit]
        longer = [pair for file in values.longer for pair in read_references(checkpoint, file)]
        total, unit = len({pair.source for pair in pairs + longer}), " sentences"
        score = partial(evaluate, checkpoint, pairs, options, longer=longer)
    with tqdm(total=total, unit=unit) as bar:
        scores = score(lambda count: bar.update(count) and None)
    if values.json:
        about = {"checkpoint": checkpoint.card.name, "precision": checkpoint.precision}
        _print_json({**about, "options": asdict(options), **scores})
        return
    for name, value in scores.items():
        if not name.startswith("by_"):
            print(f"{name:22} {value}")
    for row in scores.get("by_source_length", ()):
        low, high = row["words"]
        print(f"{low:3}-{high:<6} words: {row}")


def _train(values: argparse.Namespace) -> None:
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
        _print_scores(folder, finish(checkpoint, recipe, values.data, work, folder))


def _assess(values: argparse.Namespace) -> None:
    from seq2seq.training.export import assess
    from seq2seq.training.recipe import read_recipe

    recipe = read_recipe(values.folder / "recipe.toml")
    _print_scores(values.folder, assess(values.folder, recipe, values.data))


def _study(values: argparse.Namespace) -> None:
    if min(values.minutes, values.pairs) <= 0:
        raise UserError("--pairs and --minutes must be more than 0.")
    from seq2seq.training.ablation import study
    from seq2seq.training.recipe import read_recipe

    recipe = read_recipe(values.folder / "recipe.toml")
    work = values.work or Path("runs") / "study"
    settings = values.pairs, values.minutes, values.plain
    _print_scores(values.folder, study(values.folder, recipe, values.data, work, *settings))


def _print_scores(folder: Path, scores: Mapping[str, Any]) -> None:
    shown = ("bleu", "chrf", "kept_f1", "distinct_2", "word_error_rate", "loss", "milliseconds")
    print(f"{folder}: " + ", ".join(f"{key} {scores[key]}" for key in shown if key in scores))


def _publish(values: argparse.Namespace) -> None:
    from seq2seq.hub.watchdog import progress_bar
    from seq2seq.training.export import publish

    folder = locate(values.checkpoint)
    with progress_bar("Publishing") as on_progress:
        address = publish(folder, values.repository, on_progress=on_progress)
    print(address)


def _benchmark(values: argparse.Namespace) -> None:
    if min(*values.threads, values.rounds) < 1:
        raise UserError("--threads and --rounds must be at least 1.")
    from tqdm import tqdm

    from seq2seq.evaluation.benchmark import measure, plan, table

    chosen = plan(values.threads, values.rounds, values.quick)
    with tqdm(total=len(chosen.cells), unit=" cells") as bar:
        measured = measure(chosen, lambda cell: bar.update() and None)
    if values.json:
        _print_json(measured)
    else:
        print(table(measured))


if __name__ == "__main__":
    if (
        sys.argv[1:2] in (["train"], ["study"])
        and sys.platform == "linux"
        and MALLOC.keys() - os.environ.keys()
    ):
        restart = [sys.executable, "-m", "seq2seq", *sys.argv[1:]]
        os.execve(sys.executable, restart, MALLOC | os.environ)
    sys.exit(main())
