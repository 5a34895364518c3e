"""Blenderbot-small's own byte pair encoding: lower case, punctuation apart, @@ inside words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from seq2seq.data.spans import cover, place
from seq2seq.data.tokenizer import Split
from seq2seq.families.base_tokenizer import Frame, Names, Published, readable, starting

END, JOINED, NEWLINE = "</w>", "@@", "__newln__"


class Continued(Published):
    """Pieces that end in @@ where their word goes on (Sennrich et al. 2016, section 3.2)."""

    def __init__(
        self, names: Names, frame: Frame, merges: list[tuple[str, str]], tidy: bool = False
    ) -> None:
        super().__init__(names, frame, tidy)
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}

    def encode(self, text: str) -> list[int]:
        """Split a source into ids, without special tokens around it."""
        return self._numbered(self._pieces(text))

    def split(self, text: str) -> Split:
        """Split a source as `encode` does; the pieces of unknown characters are as written."""
        pieces = self._pieces(text)
        spans = cover(place([_surface(piece) for piece in pieces], text), text)
        return Split(self._numbered(pieces), _marked(pieces, [False] * len(pieces)), spans)

    def pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the pieces of ids; one that follows no @@ starts a word."""
        names = super().pieces(ids)
        return _marked(names, [id in self.special or id not in self._names for id in ids])

    def _numbered(self, pieces: list[str]) -> list[int]:
        unknown = self.unknown if self.unknown is not None else 0
        found = (self._ids.get(piece, unknown) for piece in pieces)
        return [unknown if id in self.special else id for id in found]

    def _surfaces(self, ids: list[int]) -> list[str]:
        names = [self._names[id] for id in ids]
        # As in `_join`, where what goes on needs something to go on with.
        return [name.removesuffix(JOINED) for name in names[:-1]] + names[-1:]

    def _join(self, ids: list[int]) -> str:
        return " ".join(self._names[id] for id in ids).replace(f"{JOINED} ", "").strip()

    def _pieces(self, text: str) -> list[str]:
        return [
            piece
            for chunk in re.findall(r"\S+\n?", readable(text))
            for word in _words(chunk)
            for piece in self._parts(word.lower())
        ]

    def _parts(self, word: str) -> list[str]:
        """Join a word's characters, the best-ranked pair first, wherever it stands."""
        parts = [*word[:-1], word[-1] + END]
        worst = len(self._ranks)
        while len(parts) > 1:
            pairs = set(pairwise(parts))
            best = min(pairs, key=lambda pair: self._ranks.get(pair, worst))
            if best not in self._ranks:
                break
            parts = _merged(parts, best)
        return [part + JOINED for part in parts[:-1]] + [parts[-1].removesuffix(END)]


def _surface(piece: str) -> str:
    """Return what a piece stands for in a text, where a line's end is white space."""
    return "" if piece == NEWLINE else piece.removesuffix(JOINED)


def _words(chunk: str) -> list[str]:
    """Set punctuation apart from a chunk without spaces; a line's end has a name of its own."""
    chunk = re.sub(r"([.,!?()])", r" \1", chunk)
    chunk = re.sub(r"(')", r" \1 ", chunk)
    chunk = re.sub(r"\s{2,}", " ", chunk).replace("\n", f" {NEWLINE}")
    return [word for word in chunk.split(" ") if word]


def _merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
    """Return the parts with every occurrence of a pair as one, from the left."""
    joined: list[str] = []
    index = 0
    while index < len(parts):
        here = tuple(parts[index : index + 2]) == pair
        joined.append("".join(pair) if here else parts[index])
        index += 2 if here else 1
    return joined


def _marked(pieces: Sequence[str], special: Sequence[bool]) -> tuple[str, ...]:
    """Move the mark from the piece before a word's end to the piece after its start."""
    shown = []
    for index, (piece, apart) in enumerate(zip(pieces, special, strict=True)):
        inside = index > 0 and pieces[index - 1].endswith(JOINED) and not special[index - 1]
        text = piece.removesuffix(JOINED) if not apart and piece != JOINED else piece
        shown.append(text if apart or inside else starting(text))
    return tuple(shown)
