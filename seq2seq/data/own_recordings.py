"""Recordings with their transcripts that a visitor brings as an archive, checked line by line."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from seq2seq.data.audio import RATE
from seq2seq.data.speech_archive import MANIFEST, Archive, Row
from seq2seq.data.speech_corpus import Utterance, utterance
from seq2seq.errors import UserError

MAX_RECORDINGS = 5_000
MAX_SECONDS_EACH = 60.0
MAX_TEXT = 2_000  # characters of one transcript
MAX_SECONDS = 1_800.0  # of all recordings, which are in memory while they are scored
MAX_ARCHIVE_BYTES = 200 * 2**20
SPLIT = "valid"  # the one that the command evaluate reads, where a row names one


def is_archive(content: bytes) -> bool:
    """Tell a tar, plain or packed by gzip, or zip archive from a table of pairs."""
    return content[:2] in (b"PK", b"\x1f\x8b") or content[257:262] == b"ustar"


def list_recordings(content: bytes, called: str) -> tuple[list[Row], list[str]]:
    """Read an archive's table; returns its rows, and what is wrong with others, by their numbers.

    Rows of another split than "valid" are not meant. Nothing is unpacked but the table. Raises
    UserError for what is no archive, holds no row, or more than the limits allow.
    """
    if len(content) > MAX_ARCHIVE_BYTES:
        raise UserError(f"{called} takes more than {MAX_ARCHIVE_BYTES / 2**20:.0f} MB: split it.")
    archive = Archive(io.BytesIO(content), called, limited=True)
    rows, problems = archive.rows()
    rows = [row for row in rows if row.split in ("", SPLIT)]
    found = []
    for row in rows:
        if row.name not in archive.places:
            problems.append(f"Line {row.line} names {row.name[:60]}, which is not in the archive.")
        elif len(row.text) > MAX_TEXT:
            problems.append(f"Line {row.line} is longer than {MAX_TEXT:,} characters.")
        else:
            found.append(row)
    if not found:
        first = f" {problems[0]}" if problems else ""
        raise UserError(f"There are no recordings: each line of {MANIFEST} names one.{first}")
    if len(found) > MAX_RECORDINGS:
        raise UserError(f"There are {len(found):,} recordings: give at most {MAX_RECORDINGS:,}.")
    return found, problems


def read_recordings(
    content: bytes,
    called: str,
    rows: Sequence[Row],
    on_recording: Callable[[int], None] | None = None,
) -> tuple[list[tuple[int, Utterance]], list[str]]:
    """Read recordings by their lines, and say by the line's number which cannot be read.

    on_recording is called with 1 before each. Raises UserError where none can be read, or all
    together, those that are too long among them, are longer than MAX_SECONDS.
    """
    archive = Archive(io.BytesIO(content), called, limited=True)
    found: list[tuple[int, Utterance]] = []
    problems, seconds = [], 0.0
    for row in sorted(rows, key=lambda row: archive.places[row.name]):
        if on_recording is not None:
            on_recording(1)
        try:
            # One second more tells a recording that is too long.
            read = utterance(archive, row, called, MAX_SECONDS_EACH + 1)
        except UserError as error:
            problems.append(f"Line {row.line}: {error}")
            continue
        taken = len(read.samples) / RATE
        seconds += taken
        if seconds > MAX_SECONDS:
            raise UserError(
                f"{called} holds more than {MAX_SECONDS / 60:.0f} minutes of sound: split it."
            )
        if taken > MAX_SECONDS_EACH:
            problems.append(f"Line {row.line} is longer than {MAX_SECONDS_EACH:.0f} seconds.")
            continue
        found.append((row.line, read))
    if not found:
        raise UserError(f"No recording of {called} can be scored. {problems[0]}")
    return sorted(found, key=lambda each: each[0]), problems
