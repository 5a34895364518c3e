"""What a repository of the Hugging Face Hub is called, what it holds, and what of it a model needs.

Knows no network and no disk: names and sizes go in, decisions come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from seq2seq.errors import UserError

FORM = "USER/REPO, USER/REPO/SUBFOLDER or either with @REVISION"
MAIN = "main"

# The Hub's own rules for names, without the letters outside ASCII that it refuses later.
_NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_FOLDER = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_REVISION = r"[A-Za-z0-9_](?:[A-Za-z0-9_./+-]*[A-Za-z0-9_+-])?"
_IDENTIFIER = re.compile(
    rf"(?P<name>{_NAME}(?:/{_NAME})?)(?P<subfolder>(?:/{_FOLDER})*)(?:@(?P<revision>{_REVISION}))?"
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})")
_LONGEST_NAME, _LONGEST = 96, 250

# What says how text becomes ids, and ids a model; README.md and card.toml are for people, and what
# our own training writes is what the app shows of it.
_SMALL = {
    "README.md",
    "added_tokens.json",
    "calibration.json",
    "card.toml",
    "config.json",
    "evaluation.json",
    "generation_config.json",
    "judged.json",
    "merges.txt",
    "normalizer.json",
    "preprocessor_config.json",
    "processor_config.json",
    "recipe.toml",
    "source_vocab.json",
    "special_tokens_map.json",
    "studies.json",
    "target_vocab.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "training.jsonl",
    "vocab.json",
    "vocab.txt",
}
# Such a file of another kind may be of any size.
_FOR_PEOPLE = {
    "README.md",
    "calibration.json",
    "judged.json",
    "studies.json",
    "training.jsonl",
}
_LARGEST_FOR_PEOPLE = 1_000_000


@dataclass(frozen=True)
class Identifier:
    """name: USER/REPO, or REPO alone for the oldest ones. revision: a branch, tag or commit."""

    name: str
    subfolder: str = ""
    revision: str = MAIN

    @property
    def pinned(self) -> bool:
        """Tell whether the revision is a commit, which never changes."""
        return is_commit(self.revision)


@dataclass(frozen=True)
class File:
    """A file of a repository. digest: "sha256:..." or, of Git's kind, "sha1:..."; "" if unknown."""

    name: str
    size: int
    digest: str = ""


@dataclass(frozen=True)
class Repository:
    """What there is to fetch of a model: its files at one commit, and what its page says of it.

    asked: the revision that was asked for. files: only those needed, weights last.
    languages: as the page lists them. gated: whether terms must be accepted first.
    public: seen without a token, so that it can be fetched without one.
    """

    name: str
    subfolder: str
    asked: str
    revision: str
    files: tuple[File, ...]
    licence: str = ""
    task: str = ""
    languages: tuple[str, ...] = ()
    gated: bool = False
    notes: tuple[str, ...] = ()
    public: bool = False

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(file.size for file in self.files)

    @property
    def identifier(self) -> str:
        """The name that pins this commit."""
        return "/".join(filter(None, (self.name, self.subfolder))) + f"@{self.revision}"

    @property
    def pickled(self) -> bool:
        """Tell whether the weights are a pickle: to be read with weights_only=True."""
        return any(file.name.endswith(".bin") for file in self.files)

    def noting(self, *notes: str) -> Repository:
        """Return the same with more notes."""
        return replace(self, notes=self.notes + notes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Repository:
        """Read plain values. Raises TypeError, KeyError or ValueError if they are of no use."""
        files = tuple(File(**file) for file in values["files"])
        lists = {name: tuple(values[name]) for name in ("languages", "notes")}
        repository = cls(**values | lists | {"files": files})
        if not is_commit(repository.revision):
            raise ValueError(repository.revision)
        check_names(repository.name, [file.name for file in files])
        return repository


def is_commit(revision: str) -> bool:
    """Tell whether a revision is the full name of a commit."""
    return bool(_COMMIT.fullmatch(revision))


def is_identifier(text: str) -> bool:
    """Tell whether a text can name a model of the Hub; whether there is one, only the Hub knows."""
    match = _IDENTIFIER.fullmatch(text) if len(text) <= _LONGEST else None
    if not match or ".." in text or "//" in text:
        return False
    name = match["name"]
    if "--" in name or name.endswith(".git") or len(name) > _LONGEST_NAME:
        return False
    return "/" in name or not match["subfolder"]


def parse(text: str) -> Identifier:
    """Take the name of a model apart. Raises UserError if it cannot be one."""
    match = _IDENTIFIER.fullmatch(text) if is_identifier(text) else None
    if not match:
        shown = text if len(text) < 60 else text[:60] + "..."
        raise UserError(f"{shown!r} cannot be a model of the Hub: write {FORM}.")
    return Identifier(match["name"], match["subfolder"].strip("/"), match["revision"] or MAIN)


def check_names(repository: str, names: Iterable[str]) -> None:
    """Raise UserError if a file's name would lead out of the folder it is put into."""
    for name in names:
        parts = name.split("/")
        unsafe = {"", ".", ".."} & set(parts) or "\\" in name or ":" in parts[0]
        if unsafe or not name.isprintable():
            raise UserError(
                f"{repository} has a file whose name leads out of its folder: choose another model."
            )


def needed(repository: str, files: Iterable[File], subfolder: str = "") -> tuple[File, ...]:
    """Choose the files that a model is read from, weights last: safetensors, else a pickle.

    Raises UserError if they do not make a model.
    """
    here: dict[str, File] = {}
    elsewhere = set()
    for file in files:
        folder, _, name = file.name.rpartition("/")
        if folder == subfolder:
            here[name] = file
        elif name == "config.json":
            elsewhere.add(folder or "its top folder")
    shown = "/".join(filter(None, (repository, subfolder)))
    if "config.json" not in here:
        remedy = "choose another model"
        if elsewhere:
            remedy = f"there is one in {', '.join(sorted(elsewhere)[:5])}"
        raise UserError(f"{shown} has no config.json: {remedy}.")
    weights = _weights(here, "model", "safetensors") or _weights(here, "pytorch_model", "bin")
    if not weights:
        raise UserError(
            f"{shown} has no complete weights as safetensors or pytorch_model.bin: choose another "
            "model."
        )
    return tuple(file for name, file in sorted(here.items()) if _is_small(name, file)) + weights


def _is_small(name: str, file: File) -> bool:
    if name in _FOR_PEOPLE and file.size > _LARGEST_FOR_PEOPLE:
        return False
    return name in _SMALL or name.endswith((".model", ".spm"))


def _weights(here: dict[str, File], stem: str, kind: str) -> tuple[File, ...]:
    """Return the file of the weights, or the index and all of its shards, or nothing."""
    if f"{stem}.{kind}" in here:
        return (here[f"{stem}.{kind}"],)
    index = here.get(f"{stem}.{kind}.index.json")
    shards = {}
    for name, file in here.items():
        match = _SHARD.fullmatch(name.removeprefix(stem).removesuffix(f".{kind}"))
        if match and name.startswith(stem) and name.endswith(kind):
            shards[int(match[1]), int(match[2])] = file
    total = max((count for _, count in shards), default=0)
    if index is None or sorted(shards) != [(number, total) for number in range(1, total + 1)]:
        return ()
    return (index, *(file for _, file in sorted(shards.items())))
