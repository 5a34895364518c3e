"""Where this project is found on the web: what the cards of published models link to."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from seq2seq import catalogue
from seq2seq.errors import UserError
from seq2seq.hub import client
from seq2seq.hub.repository import parse

PACKAGE = "seq2seq-explorer"
BESIDE = Path(__file__).parents[2] / "pyproject.toml"  # of a clone that is not installed


def project_address() -> str:
    """Return the address that the package names as its own, else that of the catalogue on the Hub
    that its models come from; "" where neither is known.
    """
    return declared_address() or catalogue_address()


def declared_address() -> str:
    """Return the first of the package's own addresses, [project.urls] in pyproject.toml."""
    try:
        named = metadata(PACKAGE).get_all("Project-URL") or []
        addresses = [each.partition(", ")[2] for each in named]
    except PackageNotFoundError:
        text = BESIDE.read_text(encoding="utf-8") if BESIDE.is_file() else ""
        addresses = list(tomllib.loads(text).get("project", {}).get("urls", {}).values())
    return next(iter(addresses), "")


def catalogue_address() -> str:
    """Return the repository whose sub-folders the cards in checkpoints/ are pinned to, by name."""
    for name, card in catalogue.offered().items():
        try:
            found = parse(card.hub)
        except UserError:
            continue
        if found.pinned and found.subfolder == name:
            return repository_address(found.name)
    return ""


def repository_address(name: str) -> str:
    """Return the address of a repository of the Hub, for a browser."""
    return f"{client.endpoint()}/{name}"
