"""A tokenizer of its own for each side: characters in and phonemes out, or two alphabets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seq2seq.data.tokenizer import Split, Unigram
from seq2seq.errors import UserError, quote

SOURCE_TOKENIZER, TARGET_TOKENIZER = "source_tokenizer.model", "target_tokenizer.model"


class TokenizerPair:
    """Two vocabularies with one interface; what is counted, named and decoded is the target's.

    A model of it has `vocabulary` of the target's size, `source_vocabulary` of the source's, and
    `shared=False`, since no embedding can serve both. Special tokens have the same ids on both
    sides. Raises UserError for what are not two such tokenizers.
    """

    def __init__(self, source: Unigram, target: Unigram) -> None:
        for side, each in (("source", source), ("target", target)):
            if not isinstance(each, Unigram):
                raise UserError(
                    f"The {side} tokenizer is {quote(each)}: give one of Unigram.train(texts, 200)."
                )
        if source.special_ids() != target.special_ids():
            raise UserError(
                "The two tokenizers number their special tokens differently: train both with "
                "Unigram.train."
            )
        self.source, self.target = source, target
        self.special, self.source_special = target.special, source.special
        self.languages: dict[str, int] = {}

    @classmethod
    def load(cls, folder: Path, folded: bool = False) -> TokenizerPair:
        """Read the two files of a folder. Raises UserError if one is missing or damaged."""
        return cls(
            Unigram.load(folder / SOURCE_TOKENIZER, folded),
            Unigram.load(folder / TARGET_TOKENIZER, folded),
        )

    def special_ids(self) -> tuple[int, int, int, int]:
        """Return the ids of padding, unknown, start and end, the same on both sides."""
        return self.target.special_ids()

    def __len__(self) -> int:
        """Count the target's pieces, special ones included."""
        return len(self.target)

    def encode(self, text: str) -> list[int]:
        """Split a source into ids, without special tokens around it."""
        return self.source.encode(text)

    def encode_target(self, text: str) -> list[int]:
        """Split a text that the decoder is to write."""
        return self.target.encode(text)

    def around(self, language: str = "") -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return nothing before and EOS after a source."""
        return self.source.around(language)

    def split(self, text: str) -> Split:
        """Split a source as `encode` does; the pieces of unknown characters are as written."""
        return self.source.split(text)

    def source_pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the pieces of a source's ids, special tokens by their names."""
        return self.source.pieces(ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Join the pieces of an output to text; special tokens leave no trace."""
        return self.target.decode(ids)

    def surfaces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return what each token of an output adds to the text that `decode` joins."""
        return self.target.surfaces(ids)

    def pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the pieces of an output's ids, special tokens by their names."""
        return self.target.pieces(ids)
