"""The examples that pages show first, each with the outputs that a reader has accepted."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from seq2seq import catalogue
from seq2seq.checkpoint import Checkpoint, load
from seq2seq.data.audio import Audio, read_audio
from seq2seq.evaluation.results import quality
from seq2seq.inference.pipeline import run

REVIEWED = Path(__file__).with_name("examples.tsv")
BETWEEN = " | "  # accepted outputs of one example
_AUDIO = (".flac", ".wav", ".ogg", ".mp3")


class Example(NamedTuple):
    """An input of a checkpoint, a text or the path of a recording, and outputs that are right."""

    checkpoint: str
    source: str
    accepted: tuple[str, ...]


class Checked(NamedTuple):
    """An example as it is written now."""

    example: Example
    output: str

    @property
    def is_accepted(self) -> bool:
        """Tell whether a reader has accepted this output."""
        return self.output in self.example.accepted


def reviewed() -> list[Example]:
    """Return the reviewed examples, by checkpoint."""
    with REVIEWED.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return [Example(name, source, tuple(texts.split(BETWEEN))) for name, source, texts in rows]


def default_checkpoints() -> list[str]:
    """Return the checkpoint at hand that each task begins with: the best on its validation set."""
    best: dict[str, str] = {}
    scores = {
        card.name: quality(catalogue.CHECKPOINTS / card.name, card.task)
        for card in catalogue.embedded().values()
    }
    for card in catalogue.embedded().values():
        if card.task not in best or scores[card.name] > scores[best[card.task]]:
            best[card.task] = card.name
    return list(best.values())


def unreviewed() -> list[Example]:
    """Return the examples on the cards of the default checkpoints that nobody has reviewed."""
    known = {(each.checkpoint, each.source) for each in reviewed()}
    cards = catalogue.embedded()
    return [
        Example(name, source, ())
        for name in default_checkpoints()
        for source in cards[name].examples
        if (name, source) not in known
    ]


def check(examples: Sequence[Example]) -> Iterator[Checked]:
    """Run examples, those of one checkpoint after the other."""
    loaded: dict[str, Checkpoint] = {}
    for each in examples:
        if each.checkpoint not in loaded:
            loaded = {each.checkpoint: load(each.checkpoint)}
        yield Checked(each, run(loaded[each.checkpoint], _given(each.source)).text)


def _given(source: str) -> str | Audio:
    heard = source.endswith(_AUDIO)
    return read_audio(catalogue.CHECKPOINTS.parent / source) if heard else source
