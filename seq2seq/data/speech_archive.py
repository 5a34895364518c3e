"""Archives of recordings with a table of what is said, tar or zip: nothing is written to disk.

What an archive says of its own size is checked before memory is taken for it, and again as it is
unpacked, since it may say anything.
"""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple, cast

from seq2seq.errors import UserError

MANIFEST = "manifest.tsv"
LARGEST = 32 * 2**20  # bytes of one recording or manifest
MOST_MEMBERS = 10_000  # of an archive that a visitor brings
MOST_LINES = 2 * MOST_MEMBERS  # of its manifest
MOST_UNPACKED = 512 * 2**20  # bytes of it
_ENTRY = b"PK\x01\x02"  # what each entry of a zip's list begins with
_FAULTS = (OSError, tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


class Row(NamedTuple):
    """A line of the manifest that names a recording. line: its number, from 1."""

    line: int
    name: str
    split: str
    speaker: str
    text: str


class Archive:
    """The recordings of an archive by the name that its manifest calls them, and how to read one.

    places: where each is in the archive: read in this order, a packed one is unpacked once.
    """

    def __init__(self, file: BinaryIO, called: str, limited: bool = False) -> None:
        """Look through an archive. limited: a visitor's, for which the limits above hold.

        Raises UserError, naming the remedy, for what is none, or too much.
        """
        self._called, self._limited = called, limited
        self._members: dict[str, tarfile.TarInfo | zipfile.ZipInfo] = {}
        try:
            self._archive = _open(file, called, limited)
            for place, (path, size, member) in enumerate(_files(self._archive)):
                if limited and place >= MOST_MEMBERS:
                    raise UserError(
                        f"{called} holds more than {MOST_MEMBERS:,} files: split it into several."
                    )
                self._add(PurePosixPath(path), size, member)
        except _FAULTS:
            raise UserError(f"{called} cannot be read: give a tar or zip archive.") from None
        sizes = (_size(member) for member in self._members.values())
        if limited and sum(sizes) > MOST_UNPACKED:
            raise UserError(too_large(called))
        names = (name for name in self._members if name != MANIFEST)
        self.places = {name: place for place, name in enumerate(names)}

    def _add(
        self, path: PurePosixPath, size: int, member: tarfile.TarInfo | zipfile.ZipInfo | None
    ) -> None:
        if path.is_absolute() or ".." in path.parts:
            raise UserError(f"{self._called} holds a path outside itself, {path}: do not use it.")
        if size > LARGEST:
            raise UserError(f"{path.name} in {self._called} is too large: split it.")
        name = path.name if path.name == MANIFEST else path.stem
        # A link is None, and macOS adds a file with a dot beside each.
        if member is not None and not path.name.startswith("."):
            self._members[name] = member

    def read(self, name: str) -> bytes:
        """Return a member's content. Raises UserError if it is not there, damaged or too large."""
        member = self._members.get(name)
        if member is None:
            raise UserError(f"{self._called} lacks the recording {name}: fetch it again.")
        try:
            with _stream(self._archive, member) as file:
                # A zip that claims less than there is unpacks as much as it is asked for.
                content = file.read(min(_size(member), LARGEST) + 1)
        except _FAULTS:
            raise UserError(f"{name} in {self._called} is damaged: pack it again.") from None
        if len(content) > LARGEST:
            raise UserError(f"{name} in {self._called} is too large: split it.")
        return content

    def rows(self) -> tuple[list[Row], list[str]]:
        """Read the manifest: its rows, and what is wrong with the others, by the line's number.

        It has the columns id and text, and may have split and speaker; an id is the name of a file
        with its ending or without. Whether there is such a file is not looked at. Raises UserError
        where there is no manifest, a column is missing, or a visitor's has too many lines.
        """
        if MANIFEST not in self._members:
            raise UserError(
                f"{self._called} has no {MANIFEST}: it is not an archive of recordings."
            )
        content = self.read(MANIFEST)
        if self._limited and content.count(b"\n") > MOST_LINES:
            raise UserError(
                f"The {MANIFEST} of {self._called} has more than {MOST_LINES:,} lines: split it."
            )
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UserError(
                f"The {MANIFEST} of {self._called} is not UTF-8: write it again."
            ) from None
        try:
            return self._read_rows(text)
        except csv.Error:  # a field of more than 131,072 characters
            raise UserError(
                f"The {MANIFEST} of {self._called} is damaged: write it again."
            ) from None

    def _read_rows(self, text: str) -> tuple[list[Row], list[str]]:
        rows = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = sorted({"id", "text"} - set(rows.fieldnames or ()))
        if missing:
            raise UserError(
                f"The {MANIFEST} of {self._called} has no column {missing[0]!r}: add it."
            )
        found, problems = [], []
        for row in rows:
            given, split, speaker, said = (
                (row.get(name) or "").strip() for name in ("id", "split", "speaker", "text")
            )
            if given and said:
                found.append(Row(rows.line_num, self._named(given), split, speaker, said))
            elif given or said:
                lacking = "text" if given else "recording"
                problems.append(f"Line {rows.line_num} has no {lacking}.")
        return found, problems

    def _named(self, given: str) -> str:
        """Return what a recording is called here; as it was given, if it is not there."""
        names = (given, PurePosixPath(given).stem)
        return next((name for name in names if name in self.places), given)


def too_large(called: str) -> str:
    """Say that an archive unpacks to too much."""
    return (
        f"{called} unpacks to more than {MOST_UNPACKED / 2**20:.0f} MB: split it, or give FLAC or "
        "MP3 in place of WAV."
    )


class _Bounded(io.RawIOBase):
    """What is unpacked of an archive, up to a limit."""

    def __init__(self, file: BinaryIO, most: int, called: str) -> None:
        self._file, self._most, self._called = file, most, called

    def read(self, size: int = -1) -> bytes:
        """Read at most to the limit. Raises UserError where there is more behind it."""
        left = self._most - self._file.tell()
        data = self._file.read(left + 1 if size < 0 else min(size, left + 1))
        if len(data) > left:
            raise UserError(too_large(self._called))
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place. Raises UserError beyond the limit."""
        if whence == 0 and offset > self._most:
            raise UserError(too_large(self._called))
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Yes, as unpacked files are."""
        return True

    def readable(self) -> bool:
        """Yes."""
        return True


def _open(file: BinaryIO, called: str, limited: bool) -> tarfile.TarFile | zipfile.ZipFile:
    head = file.read(4)
    file.seek(0)
    if head[:2] == b"PK":
        if limited and _entries(file) > MOST_MEMBERS:
            raise UserError(f"{called} holds more than {MOST_MEMBERS:,} files: split it.")
        return zipfile.ZipFile(file)
    if not limited:
        return tarfile.open(fileobj=file, mode="r:*")
    if head[:2] == b"\x1f\x8b":
        unpacked = _Bounded(cast(BinaryIO, gzip.GzipFile(fileobj=file)), MOST_UNPACKED, called)
        return tarfile.open(fileobj=unpacked, mode="r:")
    return tarfile.open(fileobj=file, mode="r:")  # others claim memory before they can be stopped


def _entries(file: BinaryIO) -> int:
    """Count what may be entries in the list of a zip, before Python reads all of it."""
    count, kept = 0, b""
    while block := file.read(2**20):
        count += (kept + block).count(_ENTRY)
        kept = block[-len(_ENTRY) + 1 :]
    file.seek(0)
    return count


def _files(
    archive: tarfile.TarFile | zipfile.ZipFile,
) -> Iterator[tuple[str, int, tarfile.TarInfo | zipfile.ZipInfo | None]]:
    """Yield the path, size and entry of each member; no entry for what is no regular file."""
    if isinstance(archive, tarfile.TarFile):
        for member in archive:
            yield member.name, member.size, member if member.isfile() else None
    else:
        for entry in archive.infolist():
            yield entry.filename, entry.file_size, None if entry.is_dir() else entry


def _size(member: tarfile.TarInfo | zipfile.ZipInfo) -> int:
    return member.size if isinstance(member, tarfile.TarInfo) else member.file_size


def _stream(
    archive: tarfile.TarFile | zipfile.ZipFile, member: tarfile.TarInfo | zipfile.ZipInfo
) -> BinaryIO:
    """Open a member. Raises one of _FAULTS for what is packed in a way that is not read here."""
    if isinstance(archive, tarfile.TarFile):
        assert isinstance(member, tarfile.TarInfo)
        file = archive.extractfile(member)
        if file is None:
            raise tarfile.ReadError(member.name)
        return cast(BinaryIO, file)
    assert isinstance(member, zipfile.ZipInfo)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(member.filename)
    return cast(BinaryIO, archive.open(member))
