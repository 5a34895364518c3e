"""Sentencepiece models whose pieces get their ids from a vocab.json (Marian, M2M100)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sentencepiece

from seq2seq.data.tokenizer import WORD_START
from seq2seq.families.base_tokenizer import Frame, Names, Published, readable
from seq2seq.families.vocabulary_files import damaged


class SideVocabulary(NamedTuple):
    """How one side's texts are split, the ids of its pieces, and those that nothing written has."""

    processor: sentencepiece.SentencePieceProcessor
    ids: dict[str, int]
    unknown: int
    unwritten: frozenset[int]


class Mapped(Published):
    """Two sides, which may be one.

    names: of the target's ids; source_names: of the source's where they are others. frame: around
    a source. coded: a source may begin with the name of the target's language, such as >>fra<<.
    """

    def __init__(
        self,
        names: Names,
        frame: Frame,
        source: SideVocabulary,
        target: SideVocabulary,
        *,
        source_names: Names | None = None,
        coded: bool = False,
        tidy: bool = False,
    ) -> None:
        super().__init__(names, frame, tidy)
        of_source = source_names or names
        self.source_special = of_source.special
        self._source_names = {id: name for name, id in of_source.ids.items()}
        self._source, self._target, self._coded = source, target, coded

    def encode(self, text: str) -> list[int]:
        """Split a source into ids, without special tokens around it."""
        return self._numbered(self._source, text)

    def encode_target(self, text: str) -> list[int]:
        """Split a text that the decoder is to write."""
        return self._numbered(self._target, text)

    def split(self, text: str) -> tuple[str, ...]:
        """Return the pieces of a source, one for each id; unknown characters as written."""
        return tuple(self._pieces(self._source, text))

    def source_pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the pieces of a source's ids, special tokens by their names."""
        return tuple(self._source_names.get(token, f"<{token}>") for token in ids)

    def _pieces(self, side: SideVocabulary, text: str) -> list[str]:
        text = readable(text)
        end = text.find("<<") + 2 if self._coded and text.startswith(">>") else 0
        if end < 2:
            return side.processor.encode(text, out_type=str)
        return [text[:end], *side.processor.encode(text[end:], out_type=str)]

    def _numbered(self, side: SideVocabulary, text: str) -> list[int]:
        found = (side.ids.get(piece, side.unknown) for piece in self._pieces(side, text))
        return [side.unknown if id in side.unwritten else id for id in found]

    def _join(self, ids: list[int]) -> str:
        text = self._target.processor.decode_pieces([self._names[id] for id in ids])
        return text.replace(WORD_START, " ").strip()


def processor(model: bytes, name: str) -> sentencepiece.SentencePieceProcessor:
    """Return a sentencepiece model. Raises UserError if it is damaged."""
    found = sentencepiece.SentencePieceProcessor()
    try:
        found.load_from_serialized_proto(model)
    except Exception:
        raise damaged(name) from None
    return found
