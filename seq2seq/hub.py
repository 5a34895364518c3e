"""Models of the Hugging Face Hub: looking at, fetching and publishing them.

The only file that reaches the network. It runs no code of a repository and waits for nothing longer
than it says.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO, TypeVar

from seq2seq import cache
from seq2seq.errors import UserError
from seq2seq.repository import (
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
from seq2seq.waiting import Meter, Progress, StalledError, StoppedError, watch

__all__ = [
    "ASK_ABOVE",
    "Fetched",
    "Repository",
    "cached",
    "fetch",
    "inspect",
    "is_cached",
    "is_identifier",
    "progress_bar",
    "publish",
]

ASK_ABOVE = 500_000_000  # bytes; more is fetched only after asking
PATIENCE = 10.0  # seconds without a byte, after which a call gives up
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
_CHECKPOINT = ("card.toml", "config.json", "model.safetensors", "tokenizer.model", "README.md")
_OF_TRAINING = ("recipe.toml", "training.jsonl", "evaluation.json")

Result = TypeVar("Result")
Cancelled = Callable[[], bool]


class _UnreachableError(UserError):
    """The network or the Hub is to blame, so what is in the cache may do."""


@dataclass(frozen=True)
class Fetched:
    """folder: of the files, in the cache. notes: what a reader of the results should know."""

    folder: Path
    revision: str
    notes: tuple[str, ...] = ()


def inspect(
    identifier: str, cancelled: Cancelled | None = None, patience: float = PATIENCE
) -> Repository:
    """Look at a model before fetching it: one small request, none for a commit in the cache.

    patience: seconds to wait for an answer. Raises UserError, naming the remedy.
    """
    wanted = parse(identifier)
    known = cache.recall(wanted)
    if known and wanted.pinned:
        return known
    try:
        _check_online(wanted.name)
        meter, timeout = Meter(), min(_REQUEST_TIMEOUT, patience)
        return _watched(
            lambda: _look_up(wanted, meter, timeout), meter, wanted.name, patience, None, cancelled
        )
    except _UnreachableError:
        known = known or cache.discover(wanted)
        if known is None:
            raise
        return known.noting(NOT_REACHED)


def cached(identifier: str) -> Repository | None:
    """Return a model as it was fetched last, if all of it is still there; makes no request."""
    if not is_identifier(identifier):
        return None
    known = cache.recall(parse(identifier))
    return known if known is not None and not cache.missing(known) else None


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
) -> Fetched:
    """Bring the files of a model into the cache, unless they are there.

    on_progress gets the bytes so far and the bytes in all; it and cancelled are called from the
    caller's thread, some twenty times a second. patience: seconds without a byte, after which this
    gives up. Raises UserError, naming the remedy.
    """
    repository = inspect(model, cancelled, patience) if isinstance(model, str) else model
    missing = cache.missing(repository)
    left = sum(file.size for file in missing)
    meter = Meter(repository.bytes, repository.bytes - left)
    if missing:
        _check_online(repository.name)
        cache.check_room(left)

        def work() -> None:
            for file in missing:
                _download(repository, file, meter, patience)

        _watched(work, meter, repository.name, patience, on_progress, cancelled)
    elif on_progress:
        on_progress(meter.total, meter.total)
    folder = cache.folder_of(repository)
    _check_index(repository.name, folder)
    if NOT_REACHED not in repository.notes:
        cache.remember(repository)
    return Fetched(folder, repository.revision, repository.notes + _notes_on_code(folder))


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
    token = _checked(token) or _token()
    if not token:
        raise UserError("Publishing needs a token: set HF_TOKEN to one that may write.")
    _check_online(target.name)
    meter = Meter(sum(path.stat().st_size for path in files))
    api = _library().HfApi(endpoint=_endpoint(), token=token)
    _watched(lambda: _upload(api, target, files, meter), meter, target.name, patience, on_progress)
    place = f"/tree/{MAIN}/{target.subfolder}" if target.subfolder else ""
    return f"{_endpoint()}/{target.name}{place}"


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Draw a bar of bytes on standard error; gives what to pass as on_progress."""
    from tqdm import tqdm

    bars: list[tqdm] = []

    def show(done: int, total: int) -> None:
        if not bars:  # only now: a mistake that is found before the first byte is one line
            bars.append(tqdm(desc=label, total=total, unit="B", unit_scale=True, leave=False))
        bars[0].update(done - bars[0].n)

    try:
        yield show
    finally:
        for bar in bars:
            bar.close()


def _look_up(wanted: Identifier, meter: Meter, timeout: float) -> Repository:
    """Ask the Hub what there is, and choose the weights."""
    repository = _describe(wanted, wanted.revision, meter, timeout)
    if not repository.pickled:
        return repository
    if wanted.revision == MAIN:  # a revision that was asked for is taken as it is
        with suppress(*_faults()):
            for number in _conversions(wanted.name, timeout):
                converted = _describe(wanted, f"refs/pr/{number}", meter, timeout)
                if not converted.pickled:
                    return converted.noting(
                        "The weights are the Hub's own conversion to safetensors, from pull "
                        f"request {number}."
                    )
    return repository.noting(PICKLED)


def _describe(wanted: Identifier, revision: str, meter: Meter, timeout: float) -> Repository:
    """Read one revision's page: the commit it stands for, its files, and what its card says."""
    api = _library().HfApi(endpoint=_endpoint(), token=_token() or False)
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


def _conversions(name: str, timeout: float) -> list[int]:
    """Return the numbers of the pull requests that the Hub's converter opened."""
    answer = (
        _library()
        .get_session()
        .get(
            f"{_endpoint()}/api/models/{name}/discussions",
            params={"author": CONVERTER, "type": "pull_request", "status": "open"},
            headers=_headers(),
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
    target, partial = cache.path_of(repository, file), cache.scratch(repository)
    for path in (target, partial):
        path.parent.mkdir(parents=True, exist_ok=True)
    url = _library().hf_hub_url(
        repository.name, file.name, revision=repository.revision, endpoint=_endpoint()
    )
    try:
        with partial.open("w+b") as output:
            _receive(url, file, output, meter, timeout)
            if file.digest and _digest(output, file) != file.digest:
                raise UserError(f"{file.name} of {repository.name} came damaged: try again.")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _receive(url: str, file: File, output: BinaryIO, meter: Meter, timeout: float) -> None:
    """Write what an address sends, going on where the connection broke off."""
    import httpx2

    for attempt in range(_RESUMES + 1):
        before = output.tell()
        try:
            return _receive_once(url, file, output, meter, timeout)
        except (httpx2.RemoteProtocolError, httpx2.ReadError):
            if attempt == _RESUMES or output.tell() == before:
                raise


def _receive_once(url: str, file: File, output: BinaryIO, meter: Meter, timeout: float) -> None:
    from huggingface_hub.utils import hf_raise_for_status

    # Compressed, a file would not have the size that was promised.
    headers = _headers() | {"Accept-Encoding": "identity"}
    if output.tell():
        headers["Range"] = f"bytes={output.tell()}-"
    session = _library().get_session()
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
    _check_card(folder / "README.md")
    names = (*_CHECKPOINT, *_OF_TRAINING)
    return [folder / name for name in names if (folder / name).is_file()]


def _check_card(path: Path) -> None:
    """Raise UserError if the Hub would refuse a model card, or could not list it by its task."""
    from seq2seq.workshop import LICENCES, PIPELINE_TAGS

    hub = _library()
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


def _watched(
    work: Callable[[], Result],
    meter: Meter,
    name: str,
    patience: float,
    on_progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Result:
    """Do work that needs the network; what goes wrong becomes a sentence."""
    import httpx2

    try:
        return watch(work, meter, patience, on_progress, cancelled)
    except UserError:
        raise
    except StoppedError:
        raise UserError(f"Fetching {name} was stopped: ask for it again to go on.") from None
    except (StalledError, httpx2.TimeoutException):
        raise _UnreachableError("The Hub does not answer: try again later.") from None
    except Exception as error:
        wrapped = isinstance(error, RuntimeError) and error.__cause__  # a failed upload is
        raise _explain(wrapped or error, name) from None


def _library() -> Any:
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.utils import logging

    # With it on, the library asks the Hub for a list of coding assistants before its first request.
    constants.HF_HUB_DISABLE_TELEMETRY = True
    logging.set_verbosity_error()
    return huggingface_hub


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _token() -> str:
    return _checked(os.environ.get("HF_TOKEN"))


def _checked(token: str | None) -> str:
    token = (token or "").strip()
    if not re.fullmatch(r"[!-~]*", token):
        raise UserError("HF_TOKEN has characters that no token has: copy it again.")
    return token


def _headers() -> dict[str, str]:
    token = _token()
    return {"authorization": f"Bearer {token}"} if token else {}


def _check_online(name: str) -> None:
    setting = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    if setting.upper() in ("1", "ON", "YES", "TRUE"):
        raise _UnreachableError(f"HF_HUB_OFFLINE keeps {name} from being reached: unset it.")


def _faults() -> tuple[type[Exception], ...]:
    """Return what an answer that is late, refused or nonsense raises."""
    import httpx2

    return (httpx2.HTTPError, ValueError, TypeError, KeyError, AttributeError)


def _explain(error: BaseException, name: str) -> BaseException:
    """Turn what the network, the Hub or the disk did into a sentence with its remedy."""
    import httpx2
    from huggingface_hub import errors

    said: dict[type[BaseException], str] = {
        errors.GatedRepoError: f"{name} is gated: accept its terms on its page of the Hub, and set "
        "HF_TOKEN to a token of that account.",
        errors.RepositoryNotFoundError: f"The Hub has no model {name}, or it is private: check the "
        "spelling, or set HF_TOKEN to a token that may read it.",
        errors.RevisionNotFoundError: f"{name} has no such revision: check what follows the @.",
        errors.EntryNotFoundError: f"A file of {name} is not there any more: try again, or choose "
        "another revision.",
    }
    for kind, sentence in said.items():
        if isinstance(error, kind):
            return UserError(sentence)
    if isinstance(error, httpx2.HTTPStatusError | errors.HfHubHTTPError):
        return _explain_status(error.response.status_code, name)
    sentence = _explain_connection(error)
    if sentence:
        return _UnreachableError(sentence)
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return UserError("The disk is full: make room, or set HF_HOME to another disk.")
        return UserError("The Hub's cache cannot be written: set HF_HOME to a folder that can be.")
    if "Invalid metadata in README.md" in str(error):
        complaint = str(error).partition("- ")[2].splitlines()
        return UserError(
            f"The Hub refuses the lines at the top of README.md ({''.join(complaint[:1])}): mend "
            "them."
        )
    if isinstance(error, _faults()):
        return _UnreachableError(
            "The answer was not the Hub's: check HF_ENDPOINT, and whether the network wants a "
            "log-in."
        )
    return error


def _explain_connection(error: BaseException) -> str:
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE was set when the program started: start it again without."
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return "HF_ENDPOINT is no address: unset it, or write one that begins with https://."
    if isinstance(error, httpx2.TimeoutException):
        return "The Hub does not answer: try again later."
    if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
        return "The Hub cannot be reached: check the connection and try again."
    # Closed: by another thread, when it met an error of its own.
    closed = isinstance(error, RuntimeError) and "closed" in str(error)
    if closed or isinstance(error, httpx2.HTTPError):
        return "The connection to the Hub broke off: try again."
    return ""


def _explain_status(status: int, name: str) -> UserError:
    if status in (401, 403):
        return UserError(
            f"The Hub refuses access to {name} ({status}): check HF_TOKEN and what it may do."
        )
    if status == 429:
        return _UnreachableError("The Hub asks for a pause (429): wait some minutes and try again.")
    if status >= 500:
        return _UnreachableError(f"The Hub has a fault of its own ({status}): try again later.")
    return UserError(f"The Hub does not accept the request for {name} ({status}): check the name.")
