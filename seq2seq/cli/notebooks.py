"""notebooks: write the lessons of the course as Jupyter notebooks."""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import Any

from seq2seq.errors import UserError


def add(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "notebooks",
        help="write the lessons as Jupyter notebooks",
        description="Write every lesson of the course as a Jupyter notebook. Running them needs "
        "the extra 'notebooks'.",
    )
    parser.add_argument("folder", type=Path, help="where to, made if it is not there")
    parser.set_defaults(command=_work)


def _work(values: argparse.Namespace) -> None:
    from seq2seq.checkpoint import load
    from seq2seq.lessons.notebook import write_all

    try:
        files = write_all(values.folder, cache(load))
    except OSError as error:
        raise UserError(
            f"The notebooks cannot be written to {values.folder}: {error.strerror}; choose a "
            "folder that can be written to."
        ) from None
    for file in files:
        print(file)
