"""What was heard beside what was said, word by word."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

CORRECT, SUBSTITUTED, DELETED, INSERTED = "correct", "substituted", "deleted", "inserted"


class Pair(NamedTuple):
    """A word that was said and one that was heard; either is "" where it has no counterpart."""

    kind: str
    said: str
    heard: str


class Transcript(NamedTuple):
    """Two texts word by word. Error rates are errors for each word, or character, that was said."""

    pairs: tuple[Pair, ...]
    word_error_rate: float
    character_error_rate: float

    def count(self, kind: str) -> int:
        """Return how many words are of a kind."""
        return sum(pair.kind == kind for pair in self.pairs)


def compare(said: str, heard: str, loosely: bool = True) -> Transcript | None:
    """Compare what was heard with what was said; None where nothing was said.

    loosely: without capitals and punctuation. The words are paired with the fewest errors
    (Levenshtein 1966), by jiwer.
    """
    import jiwer

    said, heard = (plainly(text) if loosely else " ".join(text.split()) for text in (said, heard))
    if not said:
        return None
    found = jiwer.process_words(said, heard)
    first, second = said.split(), heard.split()
    pairs = []
    for part in found.alignments[0]:
        left = first[part.ref_start_idx : part.ref_end_idx]
        right = second[part.hyp_start_idx : part.hyp_end_idx]
        if part.type == "delete":
            pairs += [Pair(DELETED, word, "") for word in left]
        elif part.type == "insert":
            pairs += [Pair(INSERTED, "", word) for word in right]
        else:
            kind = CORRECT if part.type == "equal" else SUBSTITUTED
            pairs += [Pair(kind, *both) for both in zip(left, right, strict=True)]
    return Transcript(tuple(pairs), float(found.wer), float(jiwer.cer(said, heard)))


def plainly(text: str) -> str:
    """Return a text in small letters, its words parted by one space, without punctuation.

    An apostrophe inside a word stays, a hyphen parts two words.
    """
    text = unicodedata.normalize("NFC", text).replace("’", "'").casefold()
    text = re.sub(r"(?<!\w)'|'(?!\w)", " ", text)
    kept = (
        character if character == "'" or unicodedata.category(character)[0] not in "PSCZ" else " "
        for character in text
    )
    return " ".join("".join(kept).split())
