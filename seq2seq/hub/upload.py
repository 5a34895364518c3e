"""Publishing a checkpoint on the Hub."""

from __future__ import annotations

import io
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from seq2seq.errors import UserError
from seq2seq.hub import client
from seq2seq.hub.client import PATIENCE
from seq2seq.hub.repository import MAIN, Identifier, parse
from seq2seq.hub.watchdog import Meter, Progress

_CHECKPOINT = ("card.toml", "config.json", "model.safetensors", "tokenizer.model", "README.md")
_OF_TRAINING = ("recipe.toml", "training.jsonl", "evaluation.json", "studies.json", "replies.json")


def publish(
    folder: Path,
    repository: str,
    token: str | None = None,
    on_progress: Progress | None = None,
    patience: float = PATIENCE,
) -> str:
    """Upload a checkpoint folder, making the repository if need be; returns its address.

    repository: USER/REPO or USER/REPO/SUBFOLDER. token: HF_TOKEN by default. Publishing again
    uploads what has changed. Raises UserError, naming the remedy.
    """
    target = parse(repository)
    if "/" not in target.name or "@" in repository:
        raise UserError(
            f"{repository!r} cannot be published to: write USER/REPO or USER/REPO/SUBFOLDER."
        )
    files = _publishable(folder.resolve())
    token = client.checked(token) or client.token()
    if not token:
        raise UserError("Publishing needs a token: set HF_TOKEN to one that may write.")
    client.check_online(target.name)
    meter = Meter(sum(path.stat().st_size for path in files))
    api = client.client().HfApi(endpoint=client.endpoint(), token=token)
    client.watched(
        lambda: _upload(api, target, files, meter), meter, target.name, patience, on_progress
    )
    place = f"/tree/{MAIN}/{target.subfolder}" if target.subfolder else ""
    return f"{client.endpoint()}/{target.name}{place}"


class _CountedReader(io.BufferedReader):
    """A file whose reading is counted, once `counts` is set: the first reading only hashes.

    huggingface_hub also takes an open file as a wish for plain HTTP, whose bytes can be counted.
    """

    def __init__(self, path: Path, meter: Meter) -> None:
        super().__init__(io.FileIO(path))
        self._meter = meter
        self.counts = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as any file does."""
        data = super().read(size)
        if self.counts:
            self._meter.add(len(data))
        return data


def _upload(api: Any, target: Identifier, files: list[Path], meter: Meter) -> None:
    from huggingface_hub import CommitOperationAdd

    with ExitStack() as opened:
        additions = []
        for path in files:
            reader = opened.enter_context(_CountedReader(path, meter))
            name = "/".join(filter(None, (target.subfolder, path.name)))
            additions.append(CommitOperationAdd(name, reader))
            reader.counts = True
        api.create_repo(target.name, exist_ok=True)
        meter.add()
        # One at a time: the library sends several from threads that would outlive a stall.
        for addition in additions:
            if addition.path_in_repo.endswith((".safetensors", ".model")):
                api.preupload_lfs_files(target.name, [addition])
                meter.add()
        api.create_commit(target.name, additions, commit_message="Publish a checkpoint")


def _publishable(folder: Path) -> list[Path]:
    """Return the files to upload. Raises UserError if they are not one of our checkpoints."""
    import torch

    from seq2seq.checkpoint import load

    for name in _CHECKPOINT:
        if not (folder / name).is_file():
            raise UserError(
                f"{folder.name} has no {name}: publish a folder that the command train has written."
            )
    load(folder, torch.device("cpu"))
    check_card(folder / "README.md")
    names = (*_CHECKPOINT, *_OF_TRAINING)
    return [folder / name for name in names if (folder / name).is_file()]


def check_card(path: Path) -> None:
    """Raise UserError if the Hub would refuse a model card, or could not list it by its task."""
    from seq2seq.hub.metadata import LICENCES, PIPELINE_TAGS

    hub = client.client()
    try:
        data = hub.ModelCard(path.read_text(encoding="utf-8")).data.to_dict()
    except Exception:  # PyYAML and huggingface_hub do not say which
        raise UserError("The lines at the top of README.md cannot be read: mend them.") from None
    languages = data.get("language")
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
