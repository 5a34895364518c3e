"""Sentencepiece models whose pieces get their ids from a vocab.json (Marian, M2M100)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sentencepiece

from seq2seq.data.spans import Span, cover
from seq2seq.data.tokenizer import WORD_START, Split
from seq2seq.families.base_tokenizer import Frame, Names, Published, readable
from seq2seq.families.vocabulary_files import damaged, parsed


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
        return self.split(text).ids

    def encode_target(self, text: str) -> list[int]:
        """Split a text that the decoder is to write."""
        return self._split(self._target, text).ids

    def split(self, text: str) -> Split:
        """Split a source as `encode` does; the pieces of unknown characters are as written."""
        return self._split(self._source, text)

    def source_pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the pieces of a source's ids, special tokens by their names."""
        return tuple(self._source_names.get(token, f"<{token}>") for token in ids)

    def _split(self, side: SideVocabulary, text: str) -> Split:
        text = readable(text)
        end = text.find("<<") + 2 if self._coded and text.startswith(">>") else 0
        end = end if end >= 2 else 0
        found = side.processor.encode(text[end:], return_type="offset_mapping")
        pieces, spans = found["pieces"], found["offsets"]
        if end:
            pieces = [text[:end], *pieces]
            spans = [(0, end), *((start + end, stop + end) for start, stop in spans)]
        return Split(_numbered(side, pieces), tuple(pieces), cover(spans, text))

    def _surfaces(self, ids: list[int]) -> list[str]:
        text, spans = self._decoded(ids)
        return [text[start:end] for start, end in spans]

    def _join(self, ids: list[int]) -> str:
        return self._decoded(ids)[0].strip()

    def _decoded(self, ids: list[int]) -> tuple[str, list[Span]]:
        names = [self._names[id] for id in ids]
        found = self._target.processor.decode_pieces(names, return_type="offset_mapping")
        return found["text"].replace(WORD_START, " "), found["offsets"]


def _numbered(side: SideVocabulary, pieces: Sequence[str]) -> list[int]:
    found = (side.ids.get(piece, side.unknown) for piece in pieces)
    return [side.unknown if id in side.unwritten else id for id in found]


def processor(model: bytes, name: str) -> sentencepiece.SentencePieceProcessor:
    """Return a sentencepiece model. Raises UserError if it is damaged."""
    parsed(model, name)
    found = sentencepiece.SentencePieceProcessor()
    try:
        found.load_from_serialized_proto(model)
        found.id_to_piece(list(range(len(found))))  # each is text
    except Exception:
        raise damaged(name) from None
    return found
