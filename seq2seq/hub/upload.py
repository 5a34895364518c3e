"""Publishing a checkpoint on the Hub."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from seq2seq.errors import UserError
from seq2seq.hub import client
from seq2seq.hub.client import PATIENCE
from seq2seq.hub.repository import MAIN, Identifier, parse
from seq2seq.hub.watchdog import Meter, Progress


def upload_files(
    files: Sequence[Path],
    repository: str,
    token: str | None = None,
    on_progress: Progress | None = None,
    patience: float = PATIENCE,
) -> str:
    """Upload files, making the repository if need be; returns the address of what was uploaded.

    repository: USER/REPO or USER/REPO/SUBFOLDER. token: HF_TOKEN by default. Files that have not
    changed are not sent again. Raises UserError, naming the remedy.
    """
    target = parse(repository)
    if "/" not in target.name or "@" in repository:
        raise UserError(
            f"{repository!r} cannot be published to: write USER/REPO or USER/REPO/SUBFOLDER."
        )
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


def _upload(api: Any, target: Identifier, files: Sequence[Path], meter: Meter) -> None:
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
