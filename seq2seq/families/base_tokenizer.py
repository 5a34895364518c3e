"""What every published tokenizer does alike: names of ids, special tokens, frames of a source."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from seq2seq.data.tokenizer import WORD_START, Split
from seq2seq.errors import UserError

LANGUAGE = -1  # in a frame: the place of the language's own token

# English spaces that some families' settings ask to close again, in this order.
TIDIED = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")


class Frame(NamedTuple):
    """The special tokens around a source; language: the code taken where none is named."""

    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    language: str = ""


class Names(NamedTuple):
    """What the ids of a vocabulary are called, and what some of them are for.

    special: tokens that stand for no text; languages: ids by code; unknown: for what has no piece.
    """

    ids: dict[str, int]
    special: frozenset[int]
    languages: dict[str, int]
    unknown: int | None


class Published(ABC):
    """The part of the Tokenizer protocol that needs no way of splitting a text.

    A text never turns into special tokens, but for those that a family's readers write by hand:
    masks and T5's sentinels, and Marian's >>fra<< in front.
    """

    def __init__(self, names: Names, frame: Frame, tidy: bool = False) -> None:
        self.special = self.source_special = names.special
        self.languages = names.languages
        self.unknown = names.unknown
        self._ids = names.ids
        self._names = {id: name for name, id in names.ids.items()}
        self._frame = frame
        self._tidy = tidy

    def __len__(self) -> int:
        """Count the tokens, special ones included."""
        return len(self._names)

    def token_id(self, name: str) -> int | None:
        """Return the id of a token by its exact name, such as "</s>" or "<|transcribe|>"."""
        return self._ids.get(name)

    def around(self, language: str = "") -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the special tokens before and after a source, of that language if it matters.

        Raises UserError for a language that the vocabulary does not know.
        """
        if language and language not in self.languages:
            near = get_close_matches(language, self.languages, n=5, cutoff=0) or ["none"]
            raise UserError(
                f"The model does not know the language {language!r}: "
                f"of {len(self.languages)}, the nearest are {', '.join(near)}."
            )
        named = self.languages.get(language or self._frame.language)
        return _filled(self._frame.before, named), _filled(self._frame.after, named)

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """Split a source into ids, without special tokens around it."""

    def encode_target(self, text: str) -> list[int]:
        """Split as encode does: both sides share the pieces."""
        return self.encode(text)

    @abstractmethod
    def split(self, text: str) -> Split:
        """Split a source as `encode` does; the pieces of unknown characters are as written."""

    def decode(self, ids: Sequence[int]) -> str:
        """Join the pieces of an output to text; special and unheard-of tokens leave no trace."""
        text = self._join([token for token in ids if self._is_text(token)])
        return tidied(text) if self._tidy else text

    def surfaces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return what each token of an output adds to the text that `decode` joins."""
        kept = [number for number, token in enumerate(ids) if self._is_text(token)]
        surfaces = [""] * len(ids)
        found = self._surfaces([ids[number] for number in kept])
        for number, surface in zip(kept, found, strict=True):
            surfaces[number] = surface
        return tuple(surfaces)

    def pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the pieces of ids, special tokens by their names."""
        return tuple(self._names.get(token, f"<{token}>") for token in ids)

    def source_pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return pieces as `pieces` does, unless the sides have vocabularies of their own."""
        return self.pieces(ids)

    def _is_text(self, token: int) -> bool:
        return token not in self.special and token in self._names

    @abstractmethod
    def _join(self, ids: list[int]) -> str:
        """Return the text of ordinary tokens."""

    @abstractmethod
    def _surfaces(self, ids: list[int]) -> Sequence[str]:
        """Return what each ordinary token adds to the text."""


def _filled(frame: tuple[int, ...], language: int | None) -> tuple[int, ...]:
    """Return a frame with the language's token in its place, or without that place."""
    filled = (language if token == LANGUAGE else token for token in frame)
    return tuple(token for token in filled if token is not None)


def readable(text: str) -> str:
    """Return a text without halves of surrogate pairs, which no library takes."""
    return text.encode("utf-8", "replace").decode()


def tidied(text: str) -> str:
    """Close the spaces before English punctuation and contractions."""
    for spaced in TIDIED:
        text = text.replace(spaced, spaced.strip())
    return text


def starting(piece: str) -> str:
    """Return a piece that begins a word, marked as such."""
    return piece if piece.startswith(WORD_START) else WORD_START + piece
