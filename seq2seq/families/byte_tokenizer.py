"""ByT5's tokenizer: every byte of a text is a token, and there is no file of pieces."""

from __future__ import annotations

from seq2seq.data.spans import byte_surfaces, cover, place
from seq2seq.data.tokenizer import WORD_START, Split
from seq2seq.families.base_tokenizer import Frame, Names, Published, readable

FIRST = 3  # id of the byte 0, after padding, end and unknown
SENTINELS = 125


class Bytes(Published):
    """Bytes as tokens, shown as characters where one byte is one (Xue et al. 2022)."""

    def __init__(self, size: int | None = None) -> None:
        ids = {"<pad>": 0, "</s>": 1, "<unk>": 2}
        ids |= {f"<0x{byte:02X}>": FIRST + byte for byte in range(256)}
        last = FIRST + 256
        ids |= {f"<extra_id_{number}>": last + number for number in range(SENTINELS)}
        ids = {name: id for name, id in ids.items() if size is None or id < size}
        special = frozenset(id for id in ids.values() if id < FIRST or id >= last)
        super().__init__(Names(ids, special, {}, ids["<unk>"]), Frame(after=(ids["</s>"],)))

    def encode(self, text: str) -> list[int]:
        """Split a source into ids, without special tokens around it."""
        return [FIRST + byte for byte in readable(text).encode()]

    def split(self, text: str) -> Split:
        """Split into bytes; a character belongs to its first byte."""
        ids = self.encode(text)
        return Split(ids, self.pieces(ids), cover(place(self._surfaces(ids), text), text))

    def pieces(self, ids: list[int] | tuple[int, ...]) -> tuple[str, ...]:  # type: ignore[override]
        """Return ASCII characters as themselves, \u2581 for a space, other bytes as <0xE2>."""
        return tuple(
            _spelled(token - FIRST) if FIRST <= token < FIRST + 256 else self._name(token)
            for token in ids
        )

    def _name(self, token: int) -> str:
        return self._names.get(token, f"<{token}>")

    def _surfaces(self, ids: list[int]) -> tuple[str, ...]:
        return byte_surfaces([bytes([token - FIRST]) for token in ids])

    def _join(self, ids: list[int]) -> str:
        return bytes(token - FIRST for token in ids).decode("utf-8", "ignore")


def _spelled(byte: int) -> str:
    if byte == ord(" "):
        return WORD_START
    return chr(byte) if 0x21 <= byte < 0x7F else f"<0x{byte:02X}>"
