"""The vectors of the sentences that a visitor typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ui.components.chart import chart
from ui.page import is_dark
from ui.runtime.runs import Subject, derive

if TYPE_CHECKING:
    from seq2seq.analysis.context_vector import Whole
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep
    from seq2seq.models.config import Config


@dataclass(frozen=True, eq=False)
class Vector:
    """The vector of a sentence as it is shown, and all of it that a decoder starts from.

    whole: None for a Transformer, whose shown vector is the mean of its encoder states.
    """

    shown: np.ndarray
    whole: Whole | None
    notes: tuple[str, ...]


class Sentences(NamedTuple):
    """What the visitor typed, and the vectors of it; None where nothing was."""

    name: str
    config: Config
    texts: dict[str, str]
    vectors: dict[str, Vector]

    def whole(self, letter: str) -> Whole:
        """Return all that a decoder starts from, of a sentence that has it."""
        found = self.vectors[letter].whole
        assert found is not None
        return found


def vector(name: str, text: str) -> Vector | None:
    """Compute the vector of a text with a model; where it cannot, says why and returns None."""

    def work(checkpoint: Checkpoint, on_step: OnStep) -> Vector:
        from seq2seq.analysis.context_vector import top_layer, whole
        from seq2seq.analysis.sentence_vectors import sentence_vectors
        from seq2seq.inference.inputs import prepare

        config, options = checkpoint.model.config, checkpoint.generation_config.options
        notes = prepare(checkpoint, text, options).notes
        if not config.has_final_state:
            return Vector(sentence_vectors(checkpoint, [text])[0], None, notes)
        found = whole(checkpoint, text)
        return Vector(top_layer(found.numbers, config), found, notes)

    return derive(Subject(name, text), "vector", work)


def draw_strips(key: str, rows: Sequence[tuple[str, np.ndarray]], described: str) -> None:
    """Show vectors below each other, each by its name."""
    from seq2seq.figures.step import strips, strips_csv

    chart(key, strips.plain(rows, dark=is_dark()), described, lambda: strips_csv(rows))
