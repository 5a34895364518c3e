"""A visitor's text made ready for the encoder: cleaned, cut to what can be shown, split."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from seq2seq.checkpoint import Checkpoint
from seq2seq.errors import UserError
from seq2seq.options import MAX_CHARACTERS

MAX_TOKENS = 200
JOINERS = "\u200c\u200d"  # they belong to the spelling of some scripts, and to emoji


class Source(NamedTuple):
    """A text made ready: its clean form, ids with EOS, pieces, and notes on what was changed."""

    text: str
    ids: list[int]
    pieces: tuple[str, ...]
    notes: tuple[str, ...]


def clean(text: str) -> str:
    """Drop what cannot be seen and make every run of white space one space.

    Marks that turn the direction of writing go too: they would turn the labels of the pictures.
    """
    kept = (
        " " if unicodedata.category(character) == "Cc" else character
        for character in text
        if character in JOINERS or unicodedata.category(character) not in ("Cf", "Cs", "Co", "Cn")
    )
    return re.sub(r"\s+", " ", "".join(kept)).strip()


def prepare(checkpoint: Checkpoint, text: str) -> Source:
    """Clean a text, cut it to what is shown well, and split it.

    Raises UserError if nothing is left to read.
    """
    notes = []
    if len(text) > MAX_CHARACTERS:
        notes.append(f"Only the first {MAX_CHARACTERS:,} of {len(text):,} characters were read.")
    words = clean(text[:MAX_CHARACTERS])
    pieces = checkpoint.tokenizer.split(words)
    if not pieces:
        raise UserError("There is nothing to read: type a sentence.")
    ids = checkpoint.tokenizer.encode(words)
    longest = checkpoint.model.config.longest
    most = MAX_TOKENS if longest is None else min(MAX_TOKENS, longest - 1)
    if len(ids) > most:
        notes.append(f"Only the first {most} of {len(ids)} tokens were read.")
        ids, pieces = ids[:most], pieces[:most]
        words = checkpoint.tokenizer.decode(ids)
    config = checkpoint.model.config
    unknown = [piece for piece, token in zip(pieces, ids, strict=True) if token == config.unknown]
    if unknown:
        shown = " ".join(dict.fromkeys(unknown))
        notes.append(f"This model has never seen these characters: {shown[:60]}")
    end = checkpoint.tokenizer.pieces([config.eos])
    return Source(words, [*ids, config.eos], (*pieces, *end), tuple(notes))
