"""Text to ids and back, and pieces as a reader wants to see them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import sentencepiece

from seq2seq.data.normalization import fold, unfolded_spans
from seq2seq.data.spans import Span, cover
from seq2seq.errors import UserError
from seq2seq.machine import cores

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3
WORD_START = "▁"
KINDS = ("unigram", "bpe", "word", "character")  # of pieces


class Split(NamedTuple):
    """A text in tokens: their ids, their pieces as readers see them, and where they stand in it."""

    ids: list[int]
    pieces: tuple[str, ...]
    spans: tuple[Span, ...]


class Tokenizer(Protocol):
    """What the way from text to text needs to know of a vocabulary, whoever made it.

    The two sides may have vocabularies of their own: methods that name no side are the target's,
    but for `encode`, `around` and `split`, which read a source.
    languages is empty where there are none. Pieces are written for readers: a word's
    first piece begins with WORD_START, whatever the vocabulary itself marks, and a special token
    is its name.
    """

    @property
    def special(self) -> frozenset[int]:
        """Ids of tokens that stand for no text."""
        ...

    @property
    def source_special(self) -> frozenset[int]:
        """Ids of the source's tokens that stand for no text."""
        ...

    @property
    def languages(self) -> dict[str, int]:
        """Ids of the tokens that name a language, by its code."""
        ...

    def __len__(self) -> int:
        """Count the tokens, special ones included."""
        ...

    def encode(self, text: str) -> list[int]:
        """Split a source into ids, without special tokens around it."""
        ...

    def encode_target(self, text: str) -> list[int]:
        """Split a text that the decoder is to write; as encode where both sides share pieces."""
        ...

    def around(self, language: str = "") -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the special tokens before and after a source, of that language if it matters.

        Raises UserError for a language that the vocabulary does not know.
        """
        ...

    def split(self, text: str) -> Split:
        """Split a source as `encode` does; the pieces of unknown characters are as written."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Join the pieces of an output to text; special tokens leave no trace."""
        ...

    def surfaces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return what each token of an output adds to the text that `decode` joins."""
        ...

    def pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the pieces of ids, special tokens by their names."""
        ...

    def source_pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the pieces of a source's ids, special tokens by their names."""
        ...


class SplitRules(NamedTuple):
    """What is settled before a tokenizer is fitted.

    symbols: never split. characters: known even where the texts lack them. digits: each is a piece
    of its own. space: every text is read as if a space stood before it, so that its first word is
    like any other.
    """

    symbols: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    digits: bool = False
    space: bool = True


class Unigram:
    """A sentencepiece model (Kudo and Richardson 2018), shared by both sides."""

    special = source_special = frozenset((PAD, UNKNOWN, BOS, EOS))

    def __init__(self, model: bytes, folded: bool = False, name: str = "tokenizer.model") -> None:
        """Read a serialized model, the file of that name.

        folded: it knows folded text only, so that texts are folded.
        """
        self.model, self.folded = model, folded
        self.languages: dict[str, int] = {}
        try:
            self._processor = sentencepiece.SentencePieceProcessor()
            self._processor.load_from_serialized_proto(model)
            self._processor.id_to_piece(list(range(len(self._processor))))  # each is text
        except Exception:
            raise UserError(f"The {name} is damaged: fetch the checkpoint again.") from None

    @classmethod
    def load(cls, path: Path, folded: bool = False) -> Unigram:
        """Read a tokenizer.model. Raises UserError if it is missing or damaged."""
        if not path.is_file():
            raise UserError(f"The checkpoint has no {path.name}: fetch it again.")
        return cls(path.read_bytes(), folded, path.name)

    @classmethod
    def train(
        cls,
        sentences: Iterable[str],
        pieces: int,
        kind: str = "unigram",
        folded: bool = False,
        rules: SplitRules | None = None,
        seed: int = 1,
    ) -> Unigram:
        """Fit a unigram model (Kudo 2018) of so many pieces.

        kind: "character" for one piece a character instead. folded: texts are folded first.
        Raises UserError where the pieces are fewer than the characters.
        """
        rules = rules or SplitRules()
        if isinstance(sentences, str) or kind not in KINDS:
            raise UserError(
                f"A tokenizer is fitted to a list of texts, of a kind of {', '.join(KINDS)}: give "
                "both so."
            )
        sentencepiece.set_random_generator_seed(seed)
        model = io.BytesIO()
        sentences = map(fold, sentences) if folded else sentences
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(sentences),
                model_writer=model,
                model_type="char" if kind == "character" else kind,
                vocab_size=pieces,
                user_defined_symbols=list(rules.symbols),
                split_digits=rules.digits,
                add_dummy_prefix=rules.space,
                required_chars="".join(rules.characters),
                character_coverage=0.9999,
                hard_vocab_limit=False,
                pad_id=PAD,
                unk_id=UNKNOWN,
                bos_id=BOS,
                eos_id=EOS,
                num_threads=cores(),
                minloglevel=2,
            )
        except RuntimeError:
            raise UserError(
                f"No tokenizer of {pieces} pieces fits these texts: give more pieces, or more text."
            ) from None
        return cls(model.getvalue(), folded)

    def seed(self, seed: int) -> None:
        """Fix the sampled splits that follow."""
        sentencepiece.set_random_generator_seed(seed)

    def special_ids(self) -> tuple[int, int, int, int]:
        """Return the ids of padding, unknown, start and end; -1 for what there is not."""
        p = self._processor
        return p.pad_id(), p.unk_id(), p.bos_id(), p.eos_id()

    def __len__(self) -> int:
        """Count the pieces, special ones included."""
        return self._processor.get_piece_size()

    def encode(self, text: str, alpha: float | None = None) -> list[int]:
        """Split into the best pieces, or with alpha into a sampled split (Kudo 2018)."""
        text = fold(text) if self.folded else text
        if alpha is None:
            return self._processor.encode(text)
        return self._processor.encode(text, enable_sampling=True, alpha=alpha, nbest_size=-1)

    def encode_target(self, text: str) -> list[int]:
        """Split as encode does: both sides share the pieces."""
        return self.encode(text)

    def around(self, language: str = "") -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return nothing before and EOS after a source."""
        return (), (EOS,)

    def encode_all(self, texts: Sequence[str], alpha: float | None = None) -> list[list[int]]:
        """Encode many texts, on all cores unless splits are sampled: their seed is one thread's."""
        if alpha is None:
            given = [fold(text) for text in texts] if self.folded else list(texts)
            return self._processor.encode(given, num_threads=cores())
        return [self.encode(text, alpha) for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        """Join pieces to text; special tokens leave no trace."""
        return self._processor.decode([token for token in ids if token > EOS])

    def split(self, text: str) -> Split:
        """Split a text as `encode` does: unknown characters stand for themselves."""
        given = fold(text) if self.folded else text
        found = self._processor.encode(given, return_type="offset_mapping")
        spans = unfolded_spans(found["offsets"], text) if self.folded else found["offsets"]
        return Split(found["ids"], tuple(found["pieces"]), cover(spans, text))

    def surfaces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return what each token adds to the text: nothing where it is a special one."""
        kept = [number for number, token in enumerate(ids) if token > EOS]
        found = self._processor.decode(
            [ids[number] for number in kept], return_type="offset_mapping"
        )
        surfaces = [""] * len(ids)
        for number, (start, end) in zip(kept, found["offsets"], strict=True):
            surfaces[number] = found["text"][start:end]
        return tuple(surfaces)

    def pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the pieces of ids, special tokens by their names."""
        return tuple(self._processor.id_to_piece(token) for token in ids)

    def source_pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return pieces as `pieces` does: both sides share them."""
        return self.pieces(ids)


def word_numbers(pieces: Sequence[str], special: Sequence[bool]) -> tuple[int, ...]:
    """Number the word that each piece belongs to; special tokens are words of their own."""
    numbers: list[int] = []
    for index, piece in enumerate(pieces):
        alone = special[index] or (index > 0 and special[index - 1])
        starts = piece.startswith(WORD_START) or alone or not numbers
        numbers.append((numbers[-1] if numbers else -1) + int(starts))
    return tuple(numbers)
