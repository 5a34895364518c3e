"""What a file is that was brought as a model and is none, so that its owner is told."""

from __future__ import annotations

HEAD = 512  # bytes that are looked at
_RECORDING = "is a recording: take it to the page Speech to text"
_ARCHIVE = "is an archive: unpack it, and give the files in it"
_PICTURE = "is a picture: give the files of a model"
# What files of a kind begin with, and where it stands.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WAVE", _RECORDING),
    (0, b"fLaC", _RECORDING),
    (0, b"OggS", _RECORDING),
    (0, b"ID3", _RECORDING),
    (0, b"\xff\xfb", _RECORDING),
    (4, b"ftypM4A", _RECORDING),
    (0, b"\x1f\x8b", _ARCHIVE),
    (0, b"\xfd7zXZ", _ARCHIVE),
    (0, b"7z\xbc\xaf", _ARCHIVE),
    (0, b"Rar!", _ARCHIVE),
    (257, b"ustar", _ARCHIVE),
    (0, b"\x89PNG", _PICTURE),
    (0, b"\xff\xd8\xff", _PICTURE),
    (0, b"%PDF", "is a PDF document: copy its text to the page Summarization"),
)
_ZIPPED_WEIGHTS = (".bin", ".pt", ".pth", ".ckpt")  # torch writes these as zip archives
_TEXTS = (".txt", ".tsv", ".csv", ".md")
_PARTS = ("vocab", "merges", "source", "target")  # of text files that belong to tokenizers


def unlike_a_model(name: str, head: bytes) -> str:
    """Say what a file is that cannot be of a model and where it belongs; "" for any other.

    head: its first HEAD bytes.
    """
    for place, signature, what in _SIGNATURES:
        if head[place : place + len(signature)] == signature:
            return f"{name[:60]} {what}."
    lower = name.lower()
    if head[:2] == b"PK" and not lower.endswith(_ZIPPED_WEIGHTS):
        return f"{name[:60]} {_ARCHIVE}."
    if lower.endswith(_TEXTS) and not lower.startswith(_PARTS):
        return (
            f"{name[:60]} is a text: paste it on the page of a task, such as Translation or "
            "Summarization."
        )
    return ""
