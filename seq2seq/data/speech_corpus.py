"""Archives of recordings with their texts, and batches of their features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seq2seq.data.audio import MAX_SECONDS, log_mel, read_audio, with_quiet
from seq2seq.data.batching import Batch, pad
from seq2seq.data.speech_archive import MANIFEST, Archive, Row
from seq2seq.data.tokenizer import BOS, EOS
from seq2seq.errors import UserError, quote


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


def read_speech(path: Path, split: str, speakers: Sequence[str] = ()) -> list[Utterance]:
    """Read the recordings of one split, "" for all, from a tar or zip archive; nothing is written
    to disk. speakers: whose recordings, () for everybody's; each has to be in the manifest.

    The archive holds manifest.tsv, with the columns id and text at least, and recordings called
    ID.flac (or .wav, .ogg, .mp3); where a row names no split, it is of each. Raises UserError if it
    is missing or damaged, if a recording is missing or cannot be read, or if a member lies outside
    the archive's folder.
    """
    try:
        with path.open("rb") as file:
            archive = Archive(file, path.name)
            rows, _ = archive.rows()
            for name in sorted(set(speakers) - {row.speaker for row in rows}):
                raise UserError(f"{path.name} has no speaker {quote(name)}: see its {MANIFEST}.")
            rows = [row for row in rows if not speakers or row.speaker in speakers]
            rows = [row for row in rows if not split or row.split in ("", split)]
            found = [utterance(archive, row, path.name) for row in rows]
    except OSError:
        raise UserError(f"There is no file {path.name}: check its path.") from None
    if not found:
        which = f" of the split {quote(split)}" if split else ""
        who = f" by {', '.join(speakers)}" if speakers else ""
        raise UserError(f"{path.name} has no recordings{which}{who}: see its {MANIFEST}.")
    return found


def read_speakers(path: Path) -> frozenset[str]:
    """Return the speakers that an archive's manifest names; raises UserError as `read_speech`."""
    try:
        with path.open("rb") as file:
            rows, _ = Archive(file, path.name).rows()
    except OSError:
        raise UserError(f"There is no file {path.name}: check its path.") from None
    return frozenset(row.speaker for row in rows)


def without(utterances: Sequence[Utterance], speakers: Sequence[str]) -> list[Utterance]:
    """Return the recordings of everybody else."""
    return [one for one in utterances if one.speaker not in speakers]


def utterance(archive: Archive, row: Row, file: str, limit: float = MAX_SECONDS) -> Utterance:
    """Read the recording that a row of a manifest names, `limit` seconds at most."""
    audio = read_audio(archive.read(row.name), f"{row.name} in {file}", limit)
    return Utterance(row.name, row.speaker, row.text, audio.samples)


def features(utterances: Sequence[Utterance], bins: int, level: str, margin: float) -> list[Tensor]:
    """Return what a model of such a config reads of each: (frames, bins), see `log_mel`."""
    return [log_mel(with_quiet(each.samples, margin), bins, level=level) for each in utterances]


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
