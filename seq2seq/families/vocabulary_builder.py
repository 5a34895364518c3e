"""A vocabulary put together from all that a model's files say about it, ready to be run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count, islice
from typing import Any

import tokenizers

from seq2seq.errors import UserError
from seq2seq.families import fast_tokenizers
from seq2seq.families.base_tokenizer import Names
from seq2seq.families.vocabulary_files import MOST_MERGES, Added, Pieces, Settings, damaged

SENTINEL = re.compile(r"<extra_id_\d+>")


class Gathered:
    """The ids of all tokens, what they are for, and which of them a text may contain.

    named: special tokens by role; special: further ones; languages: names of tokens by code.
    Tokens without an id get the next free ones: special, then languages, then named.
    """

    def __init__(
        self,
        pieces: Pieces,
        settings: Settings,
        named: dict[str, str],
        *,
        added: dict[str, Added] | None = None,
        special: Iterable[str] = (),
        languages: dict[str, str] | None = None,
    ) -> None:
        self.pieces = pieces
        self.named = named | settings.named
        self.languages = languages or {}
        self.added = settings.added | (added or {})
        self.ids = dict(pieces.ids) or {name: n for n, (name, _) in enumerate(pieces.scores)}
        self._number_added()
        self._require("eos_token")
        self.special = {name for name, token in self.added.items() if token.special}
        free = count(1 + max(self.ids.values()))
        for name in (*special, *self.languages.values(), *settings.extra, *self.named.values()):
            self.special.add(name)
            if name not in self.ids:
                self.ids[name] = next(free)

    def token(self, role: str) -> int:
        """Return the id of a special token. Raises UserError if the vocabulary lacks it."""
        self._require(role)
        return self.ids[self.named[role]]

    def names(self, size: int | None) -> Names:
        """Return the names of all tokens of a model of that size, or of any.

        Special tokens may lie beyond the model's, as the mask of some fine-tuned models does: they
        are left out. Raises UserError where ordinary ones do: the files are of different models.
        """
        unknown = self.named.get("unk_token", "")
        if size is not None:
            if any(id >= size and name not in self.special for name, id in self.ids.items()):
                raise UserError(
                    "The tokenizer has more tokens than the model: fetch both from one place."
                )
            if self.token("eos_token") >= size:
                raise UserError("The tokenizer is of a larger model: fetch both from one place.")
            self.ids = {name: id for name, id in self.ids.items() if id < size}
            # Models are padded to round sizes, but not by more than they hold.
            if 2 * len(self.ids) < size:
                raise UserError("The tokenizer is of a smaller model: fetch both from one place.")
        languages = {c: self.ids[name] for c, name in self.languages.items() if name in self.ids}
        special = frozenset(self.ids[name] for name in self.special if name in self.ids)
        return Names(self.ids, special, languages, self.ids.get(unknown))

    def hidden(self) -> set[str]:
        """Return the special tokens that no text may contain."""
        return self.special - self.typed()

    def typed(self) -> set[str]:
        """Return the special tokens that a text may contain: masks, and T5's sentinels."""
        masks = {self.named.get(role) for role in ("mask_token", "mask_token_sent")}
        found = {name for name in self.special if name in masks or SENTINEL.fullmatch(name)}
        return {name for name in found if name in self.ids}

    def unigrams(self) -> Any:
        """Return the library's unigram model over all tokens."""
        unknown = self.token("unk_token")
        scores = self.pieces.scores
        places = dict(enumerate(scores)) | {
            id: (token, 0.0) for token, id in self.ids.items() if id >= len(scores)
        }
        # Ids that nobody uses still need a place.
        blank = fast_tokenizers.UNWRITABLE
        full = [places.get(id, (f"{blank}{id}", 0.0)) for id in range(1 + max(places))]
        return fast_tokenizers.unigrams(self.pieces._replace(scores=full), self.hidden(), unknown)

    def byte_pairs(self, unknown: bool = False) -> Any:
        """Return the library's model of byte pairs over all tokens; unknown: some text is."""
        pieces = self.pieces._replace(ids=self.ids)
        token = self.named["unk_token"] if unknown and self.token("unk_token") >= 0 else None
        return fast_tokenizers.byte_pairs(pieces, self.hidden(), token)

    def admit(self, library: tokenizers.Tokenizer, mask: Added) -> tokenizers.Tokenizer:
        """Let a text contain what it may, and the ordinary tokens that were added."""
        typed = {name: self.added.get(name, mask) for name in sorted(self.typed())}
        ordinary = {n: t for n, t in self.added.items() if n not in self.special and n in self.ids}
        fast_tokenizers.add(library, typed | ordinary)
        return library

    def _number_added(self) -> None:
        taken = {id: name for name, id in self.ids.items()}
        for name, token in self.added.items():
            if token.id is None or self.ids.get(name, token.id) != token.id:
                raise UserError(f"The tokenizer's files disagree on {name!r}: fetch them again.")
            if taken.setdefault(token.id, name) != name:
                raise UserError(f"The tokenizer's files disagree on {name!r}: fetch them again.")
            self.ids[name] = token.id

    def _require(self, role: str) -> None:
        if self.named.get(role) not in self.ids:
            raise UserError(
                f"The vocabulary lacks its {role.replace('_', ' ')}: fetch the model again."
            )


def generated_merges(ids: dict[str, int], name: str) -> list[tuple[str, str]]:
    """Return the pairs that make the pieces of a vocabulary, in the order of what they make.

    Raises UserError where there are more than any vocabulary has; name: of its file.
    """
    found = (
        (ids[piece], cut, len(piece) - cut, ids[piece[:cut]], ids[piece[cut:]])
        for piece in ids
        for cut in range(1, len(piece))
        if piece[:cut] in ids and piece[cut:] in ids
    )
    pairs = sorted(islice(found, MOST_MERGES + 1))
    if len(pairs) > MOST_MERGES:
        raise damaged(name)
    pieces = {id: piece for piece, id in ids.items()}
    return [(pieces[left], pieces[right]) for *_, left, right in pairs]
