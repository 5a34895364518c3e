"""Time the decoding beside other libraries'."""

from __future__ import annotations

import argparse
from typing import Any

from seq2seq.cli.arguments import print_json
from seq2seq.errors import UserError


def add(commands: Any) -> None:
    """Add the parser of the command."""
    command = commands.add_parser("benchmark", help="time the decoding beside other libraries'")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("--quick", action="store_true", help="a tiny model, for a few seconds")
    command.add_argument("--speech", action="store_true", help="a Whisper, not a Marian")
    command.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N")
    command.add_argument("--rounds", type=int, default=5, metavar="N", help="default 5")
    command.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    if min(*values.threads, values.rounds) < 1:
        raise UserError("--threads and --rounds must be at least 1.")
    from tqdm import tqdm

    from seq2seq.evaluation.benchmark import measure, plan, table

    run, planned = measure, plan
    if values.speech:
        from seq2seq.evaluation.speech_benchmark import measure_speech, speech_plan

        run, planned = measure_speech, speech_plan
    chosen = planned(values.threads, values.rounds, values.quick)
    with tqdm(total=len(chosen.cells), unit=" cells") as bar:
        measured = run(chosen, lambda cell: bar.update() and None)
    if values.json:
        print_json(measured)
    else:
        print(table(measured))
