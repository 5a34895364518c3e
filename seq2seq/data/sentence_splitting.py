"""Where the sentences of a text end."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A full stop and what closes with it; Chinese and Japanese ones need no space behind them.
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？]+[」』”’）]*")
_CLOSING = re.compile(r"\s*[»”)\]]+(?=\s|$)")
_LAST_WORD = re.compile(r"[^\s(\[\"'“«]*$")
_ABBREVIATIONS = """mr mrs ms dr prof st sr jr gen col capt lt rev hon sen rep gov vs etc inc ltd
corp co dept est fig eq sec vol ed eds al cf ca approx jan feb mar apr jun jul aug sep sept oct nov
dec mon tue wed thu fri mm mme mlle dipl ing hr fr bzw usw"""
_ABBREVIATED = frozenset(_ABBREVIATIONS.split())
_BEFORE_NUMBERS = frozenset(("no", "nos", "nr", "p", "pp", "art", "ch"))


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, without the space around them; a line ends one too."""
    found = []
    for line in text.splitlines():
        start = 0
        for end in (*sentence_ends(line), len(line)):
            found.append(" ".join(line[start:end].split()))
            start = end
    return [sentence for sentence in found if sentence]


def sentence_ends(text: str) -> Iterator[int]:
    """Yield where in a text its sentences end, in order."""
    cased, start = text != text.lower(), 0
    for found in _END.finditer(text):
        closing = _CLOSING.match(text, found.end())
        end = closing.end() if closing else found.end()
        if end > start and _is_end(text[start : found.start()], found[0], text[end:], cased):
            start = end
            yield end


def _is_end(before: str, mark: str, after: str, cased: bool) -> bool:
    first = after.lstrip()[:1]
    if mark[0] in "。！？":
        return True
    if not before.strip() or (cased and first.islower()):
        return False
    if mark[0] != "." or mark.startswith(".."):
        return True
    match = _LAST_WORD.search(before)
    word = match[0].lower() if match else ""
    listed = word.isdigit() and word == before.strip()  # "1. Introduction"
    initial = len(word) == 1 and word.isalpha() and word != "i"
    numbered = word in _BEFORE_NUMBERS and first.isdigit()
    return not (listed or initial or numbered or "." in word or word in _ABBREVIATED)
