"""What was written for one source: the outputs of a search, and the text of the best."""

from __future__ import annotations

from typing import NamedTuple

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.hypothesis import BeamTree, Hypothesis
from seq2seq.decoding.search import SearchResult
from seq2seq.inference.long_form import Transcript


class Generated(NamedTuple):
    """What was written for one source: all outputs of the search, best first, and its tree.

    text: of the best output, "" where there is none. transcript: of a recording that took several
    windows, whose segments put together are the one output.
    """

    text: str
    hypotheses: tuple[Hypothesis, ...]
    tree: BeamTree
    transcript: Transcript | None = None

    def __repr__(self) -> str:
        """Write the text, and how many outputs there are."""
        return f"Generated({self.text!r}, {len(self.hypotheses)} hypotheses)"


def generated(checkpoint: Checkpoint, found: SearchResult, source: str = "") -> Generated:
    """Return what a search has found for a source, as Checkpoint.text needs it."""
    return Generated(to_text(checkpoint, found, source), found.hypotheses, found.tree)


def to_text(checkpoint: Checkpoint, found: SearchResult, source: str = "") -> str:
    """Return the text of the best output, for a source as Checkpoint.text needs it."""
    return checkpoint.text(found.hypotheses[0].tokens if found.hypotheses else (), source)
