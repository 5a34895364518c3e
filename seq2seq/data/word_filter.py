"""Words that a chatbot of ours neither learns nor says: insults and sexual content.

The list is short on purpose. Words are compared whole or by how they begin, never by what stands
inside them, so that Scunthorpe, assume, Dickens or class are no trouble.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from seq2seq.data.tokenizer import WORD_START

_WHOLE = """
anal anus arse ass asses boobs boner clit cock cocks dumb dumber dumbest fag fags horny idiot idiots
idiotic imbecile kike kikes kinky milf moron morons moronic nude nudes orgy penis pussy rape raped
rapes raping sex sexier sexiest sexual sexually sexy slut sluts slutty stfu stupid stupider
stupidest stupidity stupidly tits titties tranny twat vagina wank wanker
"""
WHOLE = frozenset(_WHOLE.split())
_BEGINNINGS = """
asshole bastard bitch blowjob bollock bullshit cunt dickhead dildo douche dumbass ejacul faggot fuck
jackass masturb motherfuck nigga nigger orgasm pedophil paedophil porn prostitut rapist retarded
shit whor
"""
BEGINNINGS = tuple(_BEGINNINGS.split())
_WORD = re.compile(r"[^\W\d_]+")
_PHRASE = re.compile(
    r"\bshut up\b|\bhate you\b|\bkill (?:you|yourself|myself)\b|"
    r"\byou(?:'re| are) (?:so |really |an? )?(?:ugly|fat|loser|disgusting|pathetic|worthless)\b",
    re.IGNORECASE,
)


def forbidden(word: str) -> bool:
    """Tell whether a word, in any case, is on the list."""
    word = word.lower()
    return word in WHOLE or word.startswith(BEGINNINGS)


def unfinished(word: str) -> bool:
    """Tell whether a word on the list begins so: its end must not follow."""
    word = word.lower()
    return any(entry.startswith(word) for entry in (*WHOLE, *BEGINNINGS))


def runs(text: str) -> list[str]:
    """Return the runs of letters of a text."""
    return _WORD.findall(text)


def rude(text: str) -> bool:
    """Tell whether a text has a word on the list, or insults whom it speaks to."""
    return any(map(forbidden, runs(text))) or bool(_PHRASE.search(text))


class WordFilter:
    """Which pieces of a vocabulary would complete a word on the list, after what stands already."""

    def __init__(self, pieces: Sequence[str]) -> None:
        """Take the pieces of a vocabulary, by their ids; WORD_START begins a word."""
        self.pieces = [piece.replace(WORD_START, " ") for piece in pieces]
        self._after: dict[str, tuple[int, ...]] = {"": self._completing("")}

    def completing(self, tokens: Sequence[int]) -> tuple[int, ...]:
        """Return the ids of the pieces that must not follow these ones.

        A word that only begins like one on the list can still be written in other pieces.
        """
        word = self._last_word(tokens)
        if not word or not unfinished(word):
            return self._after[""]
        if word not in self._after:  # as many as there are beginnings of words on the list
            self._after[word] = self._completing(word)
        return self._after[word]

    def _completing(self, word: str) -> tuple[int, ...]:
        after = enumerate(word + piece for piece in self.pieces)
        return tuple(number for number, text in after if any(map(forbidden, runs(text))))

    def _last_word(self, tokens: Sequence[int]) -> str:
        text = ""
        for token in reversed(tokens):
            text = self.pieces[token] + text
            if not text[0].isalpha():
                break
        found = runs(text)
        return found[-1].lower() if found and text.endswith(found[-1]) else ""
