"""experiment: measure a claim about encoder-decoders, now and here."""

from __future__ import annotations

import argparse
import sys
from functools import cache
from typing import Any

from seq2seq.errors import UserError
from seq2seq.experiments.registry import NAMES, run_experiment
from seq2seq.experiments.result import Partial


def add(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "experiment",
        help="measure a claim about encoder-decoders",
        description="Measure a claim about encoder-decoders on models that run now.",
    )
    parser.add_argument("name", nargs="?", default="", help="which one, see --list")
    parser.add_argument("--list", action="store_true", help="name them, one a line")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn (0)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    if values.list:
        print("\n".join(NAMES))
        return
    if not values.name:
        raise UserError("Name an experiment, or list them with --list.")
    import orjson
    import torch

    from seq2seq.checkpoint import load

    torch.set_num_threads(1)  # as on the pages: small tensors gain nothing by a second thread
    found = run_experiment(values.name, cache(load), _progress, values.seed)
    print(file=sys.stderr)
    if values.json:
        plain = {"experiment": values.name, **found.to_dict()}
        print(orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY).decode())
        return
    for each in (found, *found.also):
        verdict = f"Verdict: {each.verdict}. " if each.verdict else ""
        print(f"{each.sentence}\n{verdict}{each.counts}; {each.seconds:.1f} s.")


def _progress(done: int, total: int, partial: Partial | None = None, /) -> None:
    print(f"\r{done} of {total}", end="", file=sys.stderr, flush=True)
