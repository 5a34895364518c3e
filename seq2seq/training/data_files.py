"""Where the files that a recipe names are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

OWN = "own/"  # what the names of this project's own files begin with
_OWN_FILES = Path(__file__).with_name("own")


def data_file(folder: Path, name: str) -> Path:
    """Return the path of a recipe's file: below the data folder, or one of the project's own."""
    return _OWN_FILES / name.removeprefix(OWN) if name.startswith(OWN) else folder / name


def data_files(folder: Path, names: Iterable[str]) -> list[Path]:
    """Return the paths of a recipe's files, as `data_file` does."""
    return [data_file(folder, name) for name in names]
