"""Unigrams and byte pairs run by the tokenizers library, for pieces and for bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import tokenizers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers

from seq2seq.data.spans import Span, byte_surfaces, cover
from seq2seq.data.tokenizer import WORD_START, Split
from seq2seq.errors import UserError
from seq2seq.families.base_tokenizer import Frame, Names, Published, readable, starting
from seq2seq.families.vocabulary_files import Added, Pieces

# A character that is none: no text can spell the name of a special token behind it.
UNWRITABLE = "\uffff"
BYTE = re.compile(r"<0x[0-9A-F]{2}>")  # the piece of a byte, where characters have none


class Metaspaced(Published):
    """Pieces of characters, with ▁ where a word starts (T5, Pegasus, mBART, NLLB)."""

    def __init__(
        self, names: Names, frame: Frame, library: tokenizers.Tokenizer, tidy: bool = False
    ) -> None:
        super().__init__(names, frame, tidy)
        self._library = library

    def encode(self, text: str) -> list[int]:
        """Split a source into ids, without special tokens around it."""
        return self._encoding(text).ids

    def split(self, text: str) -> Split:
        """Split a source as `encode` does; the pieces of unknown characters are as written."""
        encoding, text = self._encoding(text), readable(text)
        spans = _placed(encoding.offsets, text)
        written = zip(encoding.ids, encoding.tokens, spans, strict=True)
        pieces = tuple(
            _written(text[start:end], token) if id == self.unknown else self._names[id]
            for id, token, (start, end) in written
        )
        return Split(encoding.ids, pieces, cover(spans, text))

    def _encoding(self, text: str) -> tokenizers.Encoding:
        with guarded():
            return self._library.encode(_writable(text), add_special_tokens=False)

    def _surfaces(self, ids: list[int]) -> tuple[str, ...]:
        return byte_surfaces([_piece_bytes(self._names[id]) for id in ids])

    def _join(self, ids: list[int]) -> str:
        with guarded():
            return self._library.decode(ids, skip_special_tokens=False)


class Bytewise(Metaspaced):
    """Pieces of bytes written as letters, Ġ for a space (BART, Blenderbot, Whisper)."""

    def split(self, text: str) -> Split:
        """Split a source as `encode` does; parts of a character are written as bytes."""
        encoding = self._encoding(text)
        ids, shown = encoding.ids, self.pieces(encoding.ids)
        spans = _placed(encoding.offsets, text)
        if shown[:1] == (WORD_START,):  # a space that was put before the text, and is not in it
            spans[0] = (0, 0)
        elif ids and ids[0] not in self.special:
            shown = (starting(shown[0]), *shown[1:])
        return Split(ids, shown, cover(spans, text))

    def pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the pieces of ids; the first after a special token starts a word."""
        shown = []
        for index, token in enumerate(ids):
            piece = self._names.get(token, f"<{token}>")
            if token not in self.special and token in self._names:
                piece = spelled(piece)
                if index and ids[index - 1] in self.special:
                    piece = starting(piece)
            shown.append(piece)
        return tuple(shown)

    def _surfaces(self, ids: list[int]) -> tuple[str, ...]:
        return byte_surfaces([_letter_bytes(self._names[id]) for id in ids])


class Whisper(Bytewise):
    """Bytes beside timestamps, and perhaps a prompt in front of what was said."""

    def decode(self, ids: Sequence[int]) -> str:
        """Join the pieces of an output to text, without a prompt from the time before."""
        return super().decode(ids[self._prompt(ids) :])

    def surfaces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return what each token adds to the text, which a prompt does not."""
        prompt = self._prompt(ids)
        return ("",) * prompt + super().surfaces(ids[prompt:])

    def _prompt(self, ids: Sequence[int]) -> int:
        """Count the tokens of a prompt in front."""
        start, prompt = self.token_id("<|startoftranscript|>"), self.token_id("<|startofprev|>")
        if not ids or ids[0] != prompt:
            return 0
        return next((place for place, token in enumerate(ids) if token == start), len(ids))


def byte_letters() -> dict[str, int]:
    """Return the letters that stand for bytes: printable ones for themselves, others from Ā on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in plain]
    return {chr(b): b for b in plain} | {chr(256 + n): byte for n, byte in enumerate(moved)}


LETTERS = byte_letters()


def spelled(letters: str) -> str:
    """Return a piece of bytes as text: ▁ for a space, <0xE2> for a part of a character."""
    if not all(letter in LETTERS for letter in letters):
        return letters
    text = _letter_bytes(letters).decode("utf-8", "surrogateescape")
    return "".join(
        f"<0x{ord(letter) - 0xDC00:02X}>" if "\udc80" <= letter <= "\udcff" else letter
        for letter in text.replace(" ", WORD_START)
    )


def _letter_bytes(letters: str) -> bytes:
    """Return the bytes that the letters of a piece stand for."""
    if not all(letter in LETTERS for letter in letters):
        return letters.encode()
    return bytes(LETTERS[letter] for letter in letters)


def _piece_bytes(piece: str) -> bytes:
    """Return a piece as it is joined to a text, without the marks of vocabularies of any kind."""
    if BYTE.fullmatch(piece):
        return bytes([int(piece[3:5], 16)])
    return piece.replace(WORD_START, " ").removeprefix("##").removesuffix("</w>").encode()


def _placed(spans: list[Span], text: str) -> list[Span]:
    """Return spans of a writable text as those of the text itself."""
    if UNWRITABLE not in text:
        return spans
    kept = [place for place, character in enumerate(text) if character != UNWRITABLE]
    return [(kept[start], kept[end - 1] + 1) if start < end else (0, 0) for start, end in spans]


def _written(text: str, token: str) -> str:
    """Return what an unknown token stands for, marked where it begins a word."""
    piece = text.strip() or text
    return starting(piece) if text[:1].isspace() or token.startswith(WORD_START) else piece


def _writable(text: str) -> str:
    return readable(text).replace(UNWRITABLE, "")


def unigrams(pieces: Pieces, hidden: Iterable[str], unknown: int) -> Any:
    """Return the library's unigram model, its hidden pieces out of a text's reach."""
    names = set(hidden)
    scores = [(UNWRITABLE + piece if piece in names else piece, s) for piece, s in pieces.scores]
    return models.Unigram(scores, unk_id=unknown, byte_fallback=False)


def byte_pairs(pieces: Pieces, hidden: Iterable[str], unknown: str | None) -> Any:
    """Return the library's model of byte pairs, its hidden pieces out of a text's reach."""
    names = set(hidden)
    ids = {UNWRITABLE + piece if piece in names else piece: id for piece, id in pieces.ids.items()}
    merges = [
        (left, right) for left, right in pieces.merges if not {left, right, left + right} & names
    ]
    token = UNWRITABLE + unknown if unknown in names and unknown is not None else unknown
    return models.BPE(vocab=ids, merges=merges, unk_token=token, fuse_unk=unknown is not None)


class WhitespaceRules(NamedTuple):
    """How a family treats white space before it marks the words with ▁.

    whole_words: words end at white space of any kind, else at a space; spaces: several spaces are
    one; breaks: without a charsmap, a line's end is a space.
    """

    whole_words: bool = False
    spaces: bool = False
    breaks: bool = False


def metaspaced(model: Any, charsmap: bytes, rules: WhitespaceRules) -> tokenizers.Tokenizer:
    """Put ▁ where words start, after sentencepiece's normalization."""
    library = tokenizers.Tokenizer(model)
    steps: list[Any] = [normalizers.Precompiled(charsmap)] if charsmap else []
    if rules.breaks and not charsmap:
        steps.append(normalizers.Replace("\n", " "))
    if rules.spaces:
        steps.append(normalizers.Replace(tokenizers.Regex(" {2,}"), " "))
    if steps:
        library.normalizer = normalizers.Sequence(steps)
    mark = pre_tokenizers.Metaspace(replacement=WORD_START, prepend_scheme="always", split=True)
    words = [pre_tokenizers.WhitespaceSplit(), mark]
    library.pre_tokenizer = pre_tokenizers.Sequence(words) if rules.whole_words else mark
    library.decoder = decoders.Metaspace(
        replacement=WORD_START, prepend_scheme="always", split=True
    )
    return library


def bytewise(model: Any, prefix: bool) -> tokenizers.Tokenizer:
    """Write bytes as letters; prefix: the first word is like any other, with a space before it."""
    library = tokenizers.Tokenizer(model)
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    library.decoder = decoders.ByteLevel()
    return library


def add(library: tokenizers.Tokenizer, tokens: dict[str, Added]) -> None:
    """Let a text contain these tokens, which the model knows already."""
    flags = Added._fields[1:]
    library.add_tokens(
        [
            AddedToken(name, **{f: getattr(token, f) for f in flags})
            for name, token in tokens.items()
        ]
    )


def tried(library: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """Return a tokenizer that has read its first text."""
    library.encode("Où est n° ½ ﬁ\u3000?", add_special_tokens=False)
    return library


@contextmanager
def guarded() -> Iterator[None]:
    """Turn what the library makes of damaged files into a UserError."""
    try:
        yield
    except UserError:
        raise
    except BaseException as error:
        # The library's own failures are no ordinary exceptions.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise UserError(
            "The model's vocabulary does not make a tokenizer: fetch the model again."
        ) from None
