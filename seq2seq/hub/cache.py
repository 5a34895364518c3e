"""Where fetched models lie: in the Hub's own cache, so that other programs find them too.

A file is models--USER--REPO/snapshots/COMMIT/NAME there. What was fetched under which name is noted
beside it, so that a model whose files are all there is found without asking anybody.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from seq2seq.errors import UserError
from seq2seq.hub.repository import File, Identifier, Repository, is_commit, needed

_RECORDS = "seq2seq-explorer"


def root() -> Path:
    """Return the folder that the environment names, as huggingface_hub understands it."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{home}/huggingface"
    folder = os.environ.get("HF_HUB_CACHE") or f"{home}/hub"
    return Path(os.path.expandvars(folder)).expanduser()


def folder_of(repository: Repository) -> Path:
    """Return the folder of a model's files."""
    return _snapshot(repository) / repository.subfolder


def path_of(repository: Repository, file: File) -> Path:
    """Return where a file belongs. Raises UserError if that is outside the cache."""
    return _inside(_snapshot(repository) / file.name)


def scratch(repository: Repository) -> Path:
    """Return the name of a new file on the same disk, for what is not complete yet."""
    return _inside(_home(repository.name) / _RECORDS / f"{uuid.uuid4().hex}.incomplete")


def missing(repository: Repository) -> list[File]:
    """Return the files that are not there, or not of the right size."""
    return [file for file in repository.files if not _is_there(path_of(repository, file), file)]


def check_room(size: int) -> None:
    """Raise UserError if the disk has less room than that."""
    folder = root()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < size:
        raise UserError(
            f"The disk has {free / 1e6:,.0f} MB left and this needs {size / 1e6:,.0f} MB: make "
            "room, or set HF_HOME to a folder on another disk."
        )


def remember(repository: Repository) -> None:
    """Note what was fetched, under the revision that was asked for and under its commit.

    The time of the note is when it was used last.
    """
    text = json.dumps(repository.to_dict())
    for revision in {repository.asked, repository.revision}:
        path = _record(repository.name, repository.subfolder, revision)
        # A cache that cannot be written to, on a shared disk perhaps, can still be read.
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = scratch(repository)
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, path)


def recall(wanted: Identifier) -> Repository | None:
    """Return what was fetched earlier under this name, if all of it is still there."""
    path = _record(wanted.name, wanted.subfolder, wanted.revision)
    try:
        repository = Repository.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    same = (repository.name, repository.subfolder) == (wanted.name, wanted.subfolder)
    return repository if same and not missing(repository) else None


def make_room(coming: Repository, budget: float, in_use: Collection[str]) -> None:
    """Delete fetched models, the least recently used first, until another one fits in a budget.

    budget: bytes, of what this library has fetched. in_use: names of repositories that stay.
    Raises UserError if that is not enough.
    """
    homes = {path.parent: _last_use(path) for path in root().glob(f"models--*/{_RECORDS}")}
    sizes = {home: _size(home) for home in homes}
    size = sum(file.size for file in missing(coming))
    kept = {_home(name) for name in in_use}
    for home in sorted(homes, key=homes.__getitem__):
        if size + sum(sizes.values()) <= budget:
            break
        if home not in kept:
            # First what says that it is there, so that nobody takes it for complete.
            shutil.rmtree(home / _RECORDS, ignore_errors=True)
            shutil.rmtree(home, ignore_errors=True)
            del sizes[home]
    if size + sum(sizes.values()) > budget:
        raise UserError(
            f"{coming.name} takes {size / 1e6:,.0f} MB, more than is free for models here now: try "
            "again later, or choose a smaller one."
        )


def _last_use(records: Path) -> float:
    with suppress(OSError):
        return max(path.stat().st_mtime for path in (records, *records.iterdir()))
    return 0.0


def _size(folder: Path) -> int:
    """Return the bytes of all files below a folder; links count as nothing."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_size
    return size


def last_fetched(names: Iterable[str]) -> dict[str, int]:
    """Return of repositories a number that changes whenever something is fetched or deleted."""
    top, found = str(root()), {}
    for name in names:
        # Paths as texts: pages ask this in each rerun.
        with suppress(OSError):
            found[name] = os.stat(os.path.join(top, _folder(name), _RECORDS)).st_mtime_ns
    return found


def discover(wanted: Identifier) -> Repository | None:
    """Return what another program has fetched, as far as names tell that it is complete."""
    revision = wanted.revision
    with suppress(OSError, ValueError):
        if not wanted.pinned:
            reference = _inside(_home(wanted.name) / "refs" / revision)
            revision = reference.read_text(encoding="utf-8").strip()
        if is_commit(revision):
            top = _home(wanted.name) / "snapshots" / revision
            files = [
                File(path.relative_to(top).as_posix(), _inside(path).stat().st_size)
                for path in (top / wanted.subfolder).iterdir()
                if path.is_file()
            ]
            files = list(needed(wanted.name, files, wanted.subfolder))
            found = (wanted.name, wanted.subfolder, wanted.revision, revision, tuple(files))
            return Repository(*found)
    return None


def _home(name: str) -> Path:
    return root() / _folder(name)


def _folder(name: str) -> str:
    return "models--" + name.replace("/", "--")


def _snapshot(repository: Repository) -> Path:
    return _home(repository.name) / "snapshots" / repository.revision


def _record(name: str, subfolder: str, revision: str) -> Path:
    file = quote(f"{subfolder}@{revision}", safe="@") + ".json"
    return _inside(_home(name) / _RECORDS / file)


def _inside(path: Path) -> Path:
    if not path.resolve().is_relative_to(root().resolve()):
        raise UserError(
            "The Hub's cache has a link that leads out of it: delete the folder of that model "
            "there."
        )
    return path


def _is_there(path: Path, file: File) -> bool:
    unknown = not file.size and not file.digest
    return path.is_file() and (unknown or path.stat().st_size == file.size)
