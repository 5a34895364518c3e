"""Archives of recordings with their texts, and batches of their features."""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seq2seq.data.audio import log_mel, read_audio
from seq2seq.data.batching import Batch, pad
from seq2seq.data.tokenizer import BOS, EOS
from seq2seq.errors import UserError

MANIFEST = "manifest.tsv"
COLUMNS = ("id", "split", "speaker", "text")
LARGEST = 32 * 2**20  # bytes of one recording or manifest


class Utterance(NamedTuple):
    """A recording and what is said in it. samples: (samples,), float32 at 16 kHz."""

    name: str
    speaker: str
    text: str
    samples: np.ndarray


class Spoken(NamedTuple):
    """Features (frames, bins), and the ids of the text without start and end tokens."""

    source: Tensor
    target: list[int]


def read_speech(path: Path, split: str) -> list[Utterance]:
    """Read the recordings of one split from a tar archive; nothing is written to disk.

    The archive holds manifest.tsv, with the columns id, split, speaker and text at least, and
    recordings called ID.flac (or .wav, .ogg, .mp3). Raises UserError if it is missing or damaged,
    if a recording is missing or cannot be read, or if a member lies outside the archive's folder.
    """
    try:
        with tarfile.open(path, "r:*") as archive:
            members = dict(_members(archive, path.name))
            rows = [row for row in _manifest(archive, members, path.name) if row["split"] == split]
            found = [_utterance(archive, members, row, path.name) for row in rows]
    except FileNotFoundError:
        raise UserError(f"There is no file {path.name}: check its path.") from None
    except (OSError, tarfile.TarError, EOFError):
        raise UserError(f"{path.name} cannot be read: give a tar archive.") from None
    if not found:
        raise UserError(f"{path.name} has no recordings of the split {split!r}: see {MANIFEST}.")
    return found


def _members(archive: tarfile.TarFile, file: str) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Yield the files of the archive by the name that the manifest calls them."""
    for member in archive:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts:
            raise UserError(f"{file} holds a path outside itself, {member.name}: do not use it.")
        if member.isfile():
            if member.size > LARGEST:
                raise UserError(f"{path.name} in {file} is too large: split it.")
            yield (path.name if path.name == MANIFEST else path.stem), member


def _manifest(
    archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], file: str
) -> Iterator[dict[str, str]]:
    if MANIFEST not in members:
        raise UserError(f"{file} has no {MANIFEST}: it is no archive of speech.")
    try:
        text = _content(archive, members[MANIFEST]).decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"The {MANIFEST} of {file} is not UTF-8: write it again.") from None
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    missing = sorted(set(COLUMNS) - set(rows.fieldnames or ()))
    if missing:
        raise UserError(f"The {MANIFEST} of {file} has no column {missing[0]!r}: add it.")
    for row in rows:
        if all(row[name] for name in COLUMNS):
            yield row


def _utterance(
    archive: tarfile.TarFile,
    members: dict[str, tarfile.TarInfo],
    row: dict[str, str],
    file: str,
) -> Utterance:
    name = row["id"]
    if name not in members:
        raise UserError(f"{file} lacks the recording {name}: fetch it again.")
    audio = read_audio(_content(archive, members[name]), f"{name} in {file}")
    return Utterance(name, row["speaker"], row["text"], audio.samples)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None  # members are regular files
    return file.read()


def features(utterances: Sequence[Utterance], bins: int) -> list[Tensor]:
    """Return what a model of so many bins reads of each: (frames, bins), normalised by itself."""
    return [log_mel(each.samples, bins, normalise=True) for each in utterances]


def pad_frames(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Stack features to (rows, longest, bins), with zeros on the right, and their mask."""
    lengths = torch.tensor([len(row) for row in rows])
    frames = pad_sequence(list(rows), batch_first=True)
    return frames, torch.arange(frames.shape[1]) < lengths[:, None]


def collate_speech(examples: Sequence[Spoken]) -> Batch:
    """Make one batch, with start and end tokens around the texts."""
    frames, mask = pad_frames([example.source for example in examples])
    return Batch(
        frames,
        pad([[BOS, *example.target] for example in examples]),
        pad([[*example.target, EOS] for example in examples]),
        mask,
    )


def plan_speech(examples: Sequence[Spoken], frames: int, seed: int) -> list[np.ndarray]:
    """Group example numbers into batches of at most so many padded frames, in random order.

    The recordings of a batch are of similar length.
    """
    random = np.random.default_rng(seed)
    lengths = np.array([len(example.source) for example in examples])
    order = np.lexsort((random.random(len(lengths)), lengths))
    batches, start = [], 0
    for position, index in enumerate(order):
        if position > start and (position - start + 1) * lengths[index] > frames:
            batches.append(order[start:position])
            start = position
    if start < len(order):
        batches.append(order[start:])
    return [batches[i] for i in random.permutation(len(batches))]
