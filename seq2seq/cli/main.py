"""The commands by their names. A user's mistake is one line and exit status 2."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from seq2seq.cli import (
    ablate,
    assess,
    benchmark,
    calibrate,
    evaluate,
    examples,
    experiment,
    list_checkpoints,
    notebooks,
    publish,
    run,
    serve,
    tables,
    train,
    voices,
)
from seq2seq.cli.arguments import Parser
from seq2seq.errors import UserError

COMMANDS = (
    list_checkpoints,
    run,
    evaluate,
    examples,
    train,
    assess,
    calibrate,
    ablate,
    experiment,
    notebooks,
    benchmark,
    tables,
    voices,
    publish,
    serve,
)
RENAMED = {"study": "ablate"}  # what commands were called before
# glibc gives freed memory back to the system and faults it in again at every training step, unless
# told otherwise before the process starts: this is a third of the time.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}


def console() -> None:
    """Run the command that the process was started with, and end the process."""
    if (
        sys.argv[1:2] in (["train"], ["ablate"], ["study"])
        and sys.platform == "linux"
        and MALLOC.keys() - os.environ.keys()
    ):
        restart = [sys.executable, "-m", "seq2seq", *sys.argv[1:]]
        os.execve(sys.executable, restart, MALLOC | os.environ)
    sys.exit(main())


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        with suppress(AttributeError):  # a stand-in, as in a test
            stream.reconfigure(  # type: ignore[union-attr]
                encoding="utf-8", errors="replace"
            )
    try:
        given = sys.argv[1:] if arguments is None else arguments
        values = parser().parse_args(_renamed(given))
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


def parser() -> Parser:
    """Return the parser of all commands."""
    whole = Parser(prog="seq2seq", description="Encoder-decoder models, seen inside.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        command.add(commands)
    return whole


def _renamed(arguments: list[str]) -> list[str]:
    """Return the arguments with a command's present name, naming it where the old one was used."""
    name = next(iter(arguments), "")
    if name not in RENAMED:
        return arguments
    print(f"seq2seq: {name} is called {RENAMED[name]} now.", file=sys.stderr)
    return [RENAMED[name], *arguments[1:]]
