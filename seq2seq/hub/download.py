"""Looking at models of the Hub, and fetching them into its cache."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

from seq2seq.errors import UserError
from seq2seq.hub import cache, client
from seq2seq.hub.client import PATIENCE, Cancelled, UnreachableError
from seq2seq.hub.repository import (
    MAIN,
    File,
    Identifier,
    Repository,
    check_names,
    is_commit,
    is_identifier,
    needed,
    parse,
)
from seq2seq.hub.watchdog import Meter, Progress

ASK_ABOVE = 500_000_000  # bytes; more is fetched only after asking
CONVERTER = "SFconvertbot"  # the Hub's own account that offers safetensors beside a pickle
NOT_REACHED = "The Hub was not reached: this is what was fetched earlier."
PICKLED = (
    "The weights are a pickle file; they are read as plain numbers, and no code in them is run."
)
OWN_CODE = (
    "The model brings code of its own, which is not run: it is read as what its model_type says."
)

_REQUEST_TIMEOUT = 5.0
_RESUMES = 3


@dataclass(frozen=True)
class Fetched:
    """folder: of the files, in the cache. notes: what a reader of the results should know."""

    folder: Path
    revision: str
    notes: tuple[str, ...] = ()


def inspect(
    identifier: str,
    cancelled: Cancelled | None = None,
    patience: float = PATIENCE,
    anonymous: bool = False,
) -> Repository:
    """Look at a model before fetching it: one small request, none for a commit in the cache.

    patience: seconds to wait for an answer. anonymous: for somebody who must not use this machine's
    token, nor see what was fetched with it. Raises UserError, naming the remedy.
    """
    wanted = parse(identifier)
    known = _known(wanted, anonymous)
    if known and wanted.pinned:
        return known
    try:
        client.check_online(wanted.name)
        meter, timeout = Meter(), min(_REQUEST_TIMEOUT, patience)
        token = "" if anonymous else client.token()
        look = partial(_look_up, wanted, meter, timeout, token)
        found = client.watched(look, meter, wanted.name, patience, None, cancelled)
    except UnreachableError:
        known = known or (None if anonymous else cache.discover(wanted))
        if known is None:
            raise
        return known.noting(NOT_REACHED)
    if anonymous and found.gated:
        raise UserError(f"{wanted.name} is gated and not open to visitors: choose another model.")
    return found


def cached(identifier: str, anonymous: bool = False) -> Repository | None:
    """Return a model as it was fetched last, if all of it is still there; makes no request.

    anonymous: only if no token was needed for it.
    """
    return _known(parse(identifier), anonymous) if is_identifier(identifier) else None


def cached_folder(identifier: str) -> Path | None:
    """Return where a model lies that was fetched earlier, None if it has to be fetched."""
    found = cached(identifier)
    return cache.folder_of(found) if found else None


def _known(wanted: Identifier, anonymous: bool) -> Repository | None:
    known = cache.recall(wanted)
    return None if known is None or (anonymous and not known.public) else known


def is_cached(model: str | Repository) -> bool:
    """Tell whether all files of a model are in the cache; makes no request."""
    if isinstance(model, str):
        return cached(model) is not None
    return not cache.missing(model)


def fetch(
    model: str | Repository,
    on_progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    patience: float = PATIENCE,
    anonymous: bool = False,
) -> Fetched:
    """Bring the files of a model into the cache, unless they are there.

    on_progress gets the bytes so far and the bytes in all; it and cancelled are called from the
    caller's thread, some twenty times a second. patience: seconds without a byte, after which this
    gives up. anonymous: as for inspect, which a Repository has been through already. Raises
    UserError, naming the remedy.
    """
    repository = model
    if isinstance(repository, str):
        repository = inspect(repository, cancelled, patience, anonymous)
    missing = cache.missing(repository)
    left = sum(file.size for file in missing)
    meter = Meter(repository.bytes, repository.bytes - left)
    if missing:
        client.check_online(repository.name)
        cache.check_room(left)

        def work() -> None:
            for file in missing:
                _download(repository, file, meter, patience)

        client.watched(work, meter, repository.name, patience, on_progress, cancelled)
    elif on_progress:
        on_progress(meter.total, meter.total)
    folder = cache.folder_of(repository)
    _check_index(repository.name, folder)
    if NOT_REACHED not in repository.notes:
        cache.remember(repository)
    return Fetched(folder, repository.revision, repository.notes + _notes_on_code(folder))


def _look_up(wanted: Identifier, meter: Meter, timeout: float, token: str) -> Repository:
    """Ask the Hub what there is, and choose the weights. token: "" for none."""
    repository = _describe(wanted, wanted.revision, meter, timeout, token)
    if not repository.pickled:
        return repository
    if wanted.revision == MAIN:  # a revision that was asked for is taken as it is
        with suppress(*client.faults()):
            for number in _conversions(wanted.name, timeout, token):
                converted = _describe(wanted, f"refs/pr/{number}", meter, timeout, token)
                if not converted.pickled:
                    return converted.noting(
                        "The weights are the Hub's own conversion to safetensors, from pull "
                        f"request {number}."
                    )
    return repository.noting(PICKLED)


def _describe(
    wanted: Identifier, revision: str, meter: Meter, timeout: float, token: str
) -> Repository:
    """Read one revision's page: the commit it stands for, its files, and what its card says."""
    # None, for a token, would make the library send the one of the last log-in.
    api = client.client().HfApi(endpoint=client.endpoint(), token=token or False)
    info = api.model_info(wanted.name, revision=revision, files_metadata=True, timeout=timeout)
    meter.add()
    if not is_commit(str(info.sha)):
        raise ValueError(info.sha)
    files = [_file(sibling) for sibling in info.siblings or ()]
    check_names(wanted.name, [file.name for file in files])
    card = info.card_data or SimpleNamespace()
    return Repository(
        name=wanted.name,
        subfolder=wanted.subfolder,
        asked=wanted.revision,
        revision=info.sha,
        files=needed(wanted.name, files, wanted.subfolder),
        licence=", ".join(_texts(getattr(card, "license", None))),
        task=", ".join(_texts(info.pipeline_tag)),
        languages=_texts(getattr(card, "language", None)),
        gated=bool(info.gated),
        public=not token,
    )


def _file(sibling: Any) -> File:
    if sibling.lfs:
        return File(str(sibling.rfilename), int(sibling.lfs.size), f"sha256:{sibling.lfs.sha256}")
    digest = f"sha1:{sibling.blob_id}" if sibling.blob_id else ""
    return File(str(sibling.rfilename), int(sibling.size or 0), digest)


def _texts(value: Any) -> tuple[str, ...]:
    """Return the texts in what somebody wrote into a card: one, several or something else."""
    values = value if isinstance(value, list) else [value]
    return tuple(item for item in values if isinstance(item, str) and item)


def _conversions(name: str, timeout: float, token: str) -> list[int]:
    """Return the numbers of the pull requests that the Hub's converter opened."""
    answer = (
        client.client()
        .get_session()
        .get(
            f"{client.endpoint()}/api/models/{name}/discussions",
            params={"author": CONVERTER, "type": "pull_request", "status": "open"},
            headers=client.headers(token),
            timeout=timeout,
        )
    )
    answer.raise_for_status()
    return [
        int(discussion["num"])
        for discussion in answer.json()["discussions"]
        if discussion["isPullRequest"]
        and discussion["author"]["name"] == CONVERTER
        and discussion["status"] == "open"
    ][:3]


def _download(repository: Repository, file: File, meter: Meter, timeout: float) -> None:
    """Fetch one file; it appears under its name when it is complete and is what was promised."""
    target, incomplete = cache.path_of(repository, file), cache.scratch(repository)
    for path in (target, incomplete):
        path.parent.mkdir(parents=True, exist_ok=True)
    url = client.client().hf_hub_url(
        repository.name, file.name, revision=repository.revision, endpoint=client.endpoint()
    )
    headers = client.headers("" if repository.public else client.token())
    try:
        with incomplete.open("w+b") as output:
            _receive(url, file, output, meter, timeout, headers)
            if file.digest and _digest(output, file) != file.digest:
                raise UserError(f"{file.name} of {repository.name} came damaged: try again.")
        os.replace(incomplete, target)
    finally:
        incomplete.unlink(missing_ok=True)


def _receive(
    url: str, file: File, output: BinaryIO, meter: Meter, timeout: float, headers: dict[str, str]
) -> None:
    """Write what an address sends, going on where the connection broke off."""
    import httpx2

    for attempt in range(_RESUMES + 1):
        before = output.tell()
        try:
            return _receive_once(url, file, output, meter, timeout, headers)
        except (httpx2.RemoteProtocolError, httpx2.ReadError):
            if attempt == _RESUMES or output.tell() == before:
                raise


def _receive_once(
    url: str, file: File, output: BinaryIO, meter: Meter, timeout: float, headers: dict[str, str]
) -> None:
    from huggingface_hub.utils import hf_raise_for_status

    # Compressed, a file would not have the size that was promised.
    headers = headers | {"Accept-Encoding": "identity"}
    if output.tell():
        headers["Range"] = f"bytes={output.tell()}-"
    session = client.client().get_session()
    with session.stream("GET", url, headers=headers, timeout=timeout) as response:
        hf_raise_for_status(response)
        if response.status_code != 206:
            meter.done -= output.tell()
            output.seek(0)
            output.truncate()
        for chunk in response.iter_bytes():
            output.write(chunk)
            meter.add(len(chunk))
            if file.digest and output.tell() > file.size:
                break
    if file.digest and output.tell() != file.size:
        raise UserError(f"{file.name} has another size than the Hub says: try again.")


def _digest(content: BinaryIO, file: File) -> str:
    kind, _, _ = file.digest.partition(":")
    if kind == "sha256":
        digest = hashlib.sha256()
    else:  # as Git names a file
        digest = hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)
    content.seek(0)
    while chunk := content.read(1 << 20):
        digest.update(chunk)
    return f"{kind}:{digest.hexdigest()}"


def _check_index(name: str, folder: Path) -> None:
    """Raise UserError if the index of sharded weights names other files than those fetched."""
    for path in folder.glob("*.index.json"):
        try:
            shards = set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values())
            fine = all(Path(shard).name == shard and (folder / shard).is_file() for shard in shards)
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            fine = False
        if not fine:
            raise UserError(f"The index of the weights of {name} is damaged: choose another model.")


def _notes_on_code(folder: Path) -> tuple[str, ...]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return (OWN_CODE,) if isinstance(config, dict) and "auto_map" in config else ()
