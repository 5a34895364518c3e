"""Small text files that somebody else may have made: cards, recipes, configs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LONGEST = 1_000_000  # bytes


def read_text_file(path: Path, most: int = LONGEST) -> str:
    """Read a regular file of at most so many bytes as UTF-8.

    Raises OSError, as for a device or a pipe, from which reading might never end, and ValueError
    for what is too long or no text.
    """
    # Without waiting: opening a pipe waits for somebody who writes.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(f"{path.name} is no regular file")
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path.name} is longer than {most} bytes")
    return content.decode("utf-8")
