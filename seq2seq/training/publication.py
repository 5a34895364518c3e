"""Publishing checkpoints on the Hub: what is uploaded, its model cards, and cards that pin it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from seq2seq import catalogue
from seq2seq.catalogue import Card, is_ours, read_card
from seq2seq.checkpoint import CARD, CONFIG, PAIR, TOKENIZER, WEIGHTS, load
from seq2seq.errors import UserError
from seq2seq.evaluation.results import EVALUATION, JUDGED, LOG, STUDIES, quality, score_in_words
from seq2seq.hub import client
from seq2seq.hub.client import PATIENCE
from seq2seq.hub.metadata import LICENCES, PIPELINE_TAGS
from seq2seq.hub.upload import Content, size_of, target_of, upload_files
from seq2seq.hub.watchdog import Progress
from seq2seq.training.judged_outputs import read_judged
from seq2seq.training.model_card import PROJECT, front_matter, model_card, unscored_model_card
from seq2seq.training.project_address import (
    declared_address,
    project_address,
    repository_address,
)
from seq2seq.training.recipe import read_recipe

README, RECIPE = "README.md", "recipe.toml"
_OF_TRAINING = (RECIPE, LOG, EVALUATION, STUDIES, JUDGED, "calibration.json")


class Published(NamedTuple):
    """address: for a browser. cards: of the checkpoints, by name, each pinned to this commit."""

    address: str
    cards: dict[str, Card]


def publish(
    folder: Path,
    repository: str,
    token: str | None = None,
    on_progress: Progress | None = None,
    patience: float = PATIENCE,
    project: str = "",
) -> Published:
    """Upload a checkpoint folder to the Hub, as USER/REPO or USER/REPO/SUBFOLDER.

    Its README.md is made from its scores and card.toml, unless it has one that was written by hand.
    project: the address of this project, for the link there; by default see project_address.
    Raises UserError, see seq2seq.hub.upload and check_card.
    """
    target_of(repository)
    project = project or project_address()
    folder = folder.resolve()
    files = _files(folder, repository, project)
    address, revision = upload_files(files, repository, token, on_progress, patience)
    return Published(address, {folder.name: _pinned(folder, files, f"{repository}@{revision}")})


def publish_all(
    repository: str,
    token: str | None = None,
    on_progress: Progress | None = None,
    patience: float = PATIENCE,
    project: str = "",
) -> Published:
    """Upload all checkpoints of this library in checkpoints/ in one commit, each to a subfolder.

    Their list is the README.md of the repository, which their cards link to where the project has
    no address of its own. Raises UserError as publish does, and where there are none.
    """
    target = target_of(repository)
    project = project or declared_address()
    linked = project or repository_address(target.name)
    folders = [catalogue.CHECKPOINTS / name for name in catalogue.embedded()]
    folders = [folder for folder in folders if is_ours(folder)]
    if not folders:
        raise UserError("No checkpoint of ours is in checkpoints/: train one, or publish a folder.")
    parts = {folder: _files(folder, f"{repository}/{folder.name}", linked) for folder in folders}
    files: dict[str, Content] = {README: _contents(folders, repository, project).encode()}
    for folder, part in parts.items():
        files |= {f"{folder.name}/{name}": content for name, content in part.items()}
    address, revision = upload_files(files, repository, token, on_progress, patience)
    cards = {
        folder.name: _pinned(folder, part, f"{repository}/{folder.name}@{revision}")
        for folder, part in parts.items()
    }
    return Published(address, cards)


def write_cards(cards: Mapping[str, Card], folder: Path) -> None:
    """Write card.toml files to sub-folders of a folder, as checkpoints/ has them."""
    for name, card in cards.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / CARD).write_text(card.to_toml(), encoding="utf-8")


def _pinned(folder: Path, files: Mapping[str, Content], identifier: str) -> Card:
    """Return a checkpoint's card, which says what is fetched, and how much that is."""
    size = sum(map(size_of, files.values()))
    return replace(read_card(folder), hub=identifier, megabytes=math.ceil(size / 1e6))


def _files(folder: Path, identifier: str, project: str) -> dict[str, Content]:
    """Return what to upload. Raises UserError if it is not one of our checkpoints."""
    tokenizers = PAIR if (folder / PAIR[0]).is_file() else (TOKENIZER,)
    needed = (CARD, CONFIG, WEIGHTS, *tokenizers)
    for name in needed:
        if not (folder / name).is_file():
            raise UserError(
                f"{folder.name} has no {name}: publish a folder that the command train or "
                "seq2seq.save has written."
            )
    load(folder, torch.device("cpu"))
    readme = _readme(folder, identifier, project)
    check_card(readme)
    names = [*needed, *(name for name in _OF_TRAINING if (folder / name).is_file())]
    return {**{name: folder / name for name in names}, README: readme.encode()}


def _readme(folder: Path, identifier: str, project: str) -> str:
    """Return the model card as it is to be published: made anew, or what somebody wrote."""
    present, local = _text(folder / README), _scored_card(folder)
    if present and present != local:
        own = {folder.name, *re.findall(r"^name = \"(.+)\"$", _text(folder / RECIPE), re.MULTILINE)}
        names = "|".join(map(re.escape, own))
        command = rf"^(python -m seq2seq run )(?:{names})(?=\s)"
        return re.sub(command, rf"\g<1>{identifier}", present, flags=re.MULTILINE)
    if local:
        return _scored_card(folder, identifier, project)
    return unscored_model_card(read_card(folder), identifier, project)


def _scored_card(folder: Path, name: str = "", project: str = "") -> str:
    """Return the model card that the command assess writes; "" where there are no whole scores."""
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError, UserError):
        scores = json.loads(_text(folder / EVALUATION))
        recipe = read_recipe(folder / RECIPE)
        return model_card(recipe, scores, read_judged(folder), name, project)
    return ""


def _text(path: Path) -> str:
    """Return what a file says, "" where there is none."""
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _contents(folders: Sequence[Path], repository: str, project: str) -> str:
    """Write the README.md of a repository of several checkpoints: one line for each."""
    known = f"[{PROJECT}]({project})" if project else PROJECT
    cards = list(map(read_card, folders))
    licences = {card.licence.lower() for card in cards}
    alike = len(licences) == 1 and licences <= LICENCES
    top = front_matter(
        {
            "license": licences.pop() if alike else "other",
            "license_name": "" if alike else "one-for-each-model",
            "library_name": "seq2seq-explorer",
            "tags": ["seq2seq", *dict.fromkeys(card.task for card in cards)],
        }
    )
    rows = "\n".join(
        f"| [{card.name}](./{card.name}) | {card.title} | {card.task} | "
        f"{score_in_words(card.task, quality(folder, card.task))} | {card.licence} |"
        for folder, card in zip(folders, cards, strict=True)
    )
    return f"""---
{top}
---

# Checkpoints of {PROJECT}

Encoder-decoder models of {known}, one in each folder, with its model card. To run one:

```sh
python -m seq2seq run {repository}/{cards[0].name} "..."
```

| folder | model | task | score | licence |
| --- | --- | --- | --- | --- |
{rows}
"""


def check_card(text: str) -> None:
    """Raise UserError if the Hub would refuse a model card, or could not list it by its task."""
    hub = client.client()
    try:
        data = hub.ModelCard(text).data.to_dict()
    except Exception:  # PyYAML and huggingface_hub do not say which
        raise UserError("The lines at the top of README.md cannot be read: correct them.") from None
    languages = data.get("language") or []  # numbers, or a rule of symbols, have no language
    listed = [str(code) for code in languages] if isinstance(languages, list) else [str(languages)]
    known = all(re.fullmatch(r"[a-z]{2,3}", code) for code in listed)
    tags = sorted(set(PIPELINE_TAGS.values()))
    rules = {
        "license": (data.get("license") in LICENCES, "an identifier that the Hub lists, or other"),
        "language": (known and len(set(listed)) == len(listed), "codes such as en, each once"),
        "pipeline_tag": (data.get("pipeline_tag") in tags, f"one of {', '.join(tags)}"),
    }
    for key, (fine, remedy) in rules.items():
        if not fine:
            raise UserError(f"README.md has no valid {key} at its top: write {remedy}.")
