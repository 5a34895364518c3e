"""Publishing a checkpoint on the Hub."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.errors import UserError
from seq2seq.hub import client
from seq2seq.hub.client import PATIENCE
from seq2seq.hub.repository import MAIN, Identifier, parse
from seq2seq.hub.watchdog import Meter, Progress

Content = Path | bytes


class Uploaded(NamedTuple):
    """address: of what was uploaded, for a browser. revision: the commit that holds it."""

    address: str
    revision: str


def target_of(repository: str) -> Identifier:
    """Take apart what is published to: USER/REPO or USER/REPO/SUBFOLDER. Raises UserError."""
    target = parse(repository)
    if "/" not in target.name or "@" in repository:
        raise UserError(
            f"{repository!r} cannot be published to: write USER/REPO or USER/REPO/SUBFOLDER."
        )
    return target


def upload_files(
    files: Mapping[str, Content],
    repository: str,
    token: str | None = None,
    on_progress: Progress | None = None,
    patience: float = PATIENCE,
) -> Uploaded:
    """Upload files in one commit, making the repository if need be.

    files: by their names there, below the subfolder. repository: see target_of. token: HF_TOKEN by
    default. Files that have not changed are not sent again. Raises UserError, naming the remedy.
    """
    target = target_of(repository)
    token = client.checked(token) or client.token()
    if not token:
        raise UserError("Publishing needs a token: set HF_TOKEN to one that may write.")
    client.check_online(target.name)
    meter = Meter(sum(map(size_of, files.values())))
    api = client.client().HfApi(endpoint=client.endpoint(), token=token)
    revision = client.watched(
        lambda: _upload(api, target, files, meter), meter, target.name, patience, on_progress
    )
    place = f"/tree/{MAIN}/{target.subfolder}" if target.subfolder else ""
    return Uploaded(f"{client.endpoint()}/{target.name}{place}", revision)


def size_of(content: Content) -> int:
    """Return the bytes of what is to be uploaded."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


class _CountedReader(io.BufferedReader):
    """A file whose reading is counted, once `counts` is set: the first reading only hashes.

    huggingface_hub also takes an open file as a wish for plain HTTP, whose bytes can be counted.
    """

    def __init__(self, content: Content, meter: Meter) -> None:
        # A BytesIO does all that a raw file does.
        raw: Any = io.BytesIO(content) if isinstance(content, bytes) else io.FileIO(content)
        super().__init__(raw)
        self._meter = meter
        self.counts = False

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as any file does."""
        data = super().read(size)
        if self.counts:
            self._meter.add(len(data))
        return data


def _upload(api: Any, target: Identifier, files: Mapping[str, Content], meter: Meter) -> str:
    """Upload files; returns the commit, the last one where nothing had changed."""
    from huggingface_hub import CommitOperationAdd

    with ExitStack() as opened:
        additions = []
        for name, content in files.items():
            reader = opened.enter_context(_CountedReader(content, meter))
            path = "/".join(filter(None, (target.subfolder, name)))
            additions.append(CommitOperationAdd(path, reader))
            reader.counts = True
        api.create_repo(target.name, exist_ok=True)
        meter.add()
        # One at a time: the library sends several from threads that would outlive a stall.
        for addition in additions:
            if addition.path_in_repo.endswith((".safetensors", ".model")):
                api.preupload_lfs_files(target.name, [addition])
                meter.add()
        made = api.create_commit(target.name, additions, commit_message="Publish checkpoints")
    return str(made.oid)
