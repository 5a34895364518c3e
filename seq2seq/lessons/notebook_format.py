"""Jupyter notebooks as plain values, so that no library is needed to write them.

Notebook format 4.5.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

Cell = dict[str, Any]


def text_cell(source: str) -> Cell:
    """Return a cell of Markdown."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code_cell(source: str) -> Cell:
    """Return a cell of Python that was not run yet."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


def notebook_of(cells: Sequence[Cell], name: str) -> dict[str, Any]:
    """Return the values of a notebook's JSON; the ids of its cells are made from the name."""
    numbered = [
        {**cell, "id": hashlib.sha256(f"{name} {place}".encode()).hexdigest()[:8]}
        for place, cell in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": numbered, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def written(notebook: dict[str, Any]) -> str:
    """Return the text of an .ipynb file."""
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
