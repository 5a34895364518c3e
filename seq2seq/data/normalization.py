"""Folded text: small letters, every number the same; and the way back to a text as it was written.

Some public data is folded so, and a model of it reads and writes nothing else. What it copies from
its source can be written as the source has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from seq2seq.data.sentence_splitting import sentence_ends
from seq2seq.data.spans import Span

NUMBER = "##"
_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"#+|\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_PLAIN = str.maketrans("’‘“”–—", "''\"\"--")
# Words that have a capital only where they begin a sentence.
_SMALL_WORDS = """
a about after all although an and are as at because before both but by can could did do does during
each even every few for four from had has have he her here his how if in into is it its just last
many meanwhile more most my new no not of on once one only or other our over she should since so
some such than that the their then there these they this those three to two under until was we were
what when where which while who why will with would yet you your
"""
_SMALL = frozenset(_SMALL_WORDS.split())
# In the alignment, what following right after the word before is worth beside a match.
_ADJACENT = 0.5


class FoldedWord(NamedTuple):
    """A word of a text: its folded form, its place, and whether it begins a sentence."""

    folded: str
    start: int
    end: int
    first: bool


def fold(text: str) -> str:
    """Return a text in small letters and with NUMBER for every number; quotes become plain."""
    return _DIGITS.sub(NUMBER, text.translate(_PLAIN).lower())


def unfolded_spans(spans: Sequence[Span], text: str) -> list[Span]:
    """Return where in a text the spans of the folded text are.

    What became several characters, such as a number, belongs to the first of them.
    """
    starts: list[int] = []
    for start, end in _unfolded_parts(text):
        folded = len(fold(text[start:end]))
        starts += [start, *[end] * (folded - 1)][:folded]
    starts.append(len(text))
    return [(starts[start], starts[end]) for start, end in spans]


def _unfolded_parts(text: str) -> Iterator[Span]:
    """Yield the numbers of a text and the characters between them, each of which folds alone."""
    last = 0
    for number in _DIGITS.finditer(text):
        yield from ((place, place + 1) for place in range(last, number.start()))
        yield number.span()
        last = number.end()
    yield from ((place, place + 1) for place in range(last, len(text)))


def words(text: str) -> list[FoldedWord]:
    """Return the words of a text in order: runs of letters, apostrophes inside, and numbers."""
    found: list[FoldedWord] = []
    ends, end = list(sentence_ends(text)), 0
    for match in _WORD.finditer(text):
        first = not found or any(end < place <= match.start() for place in ends)
        folded = NUMBER if match[0][0] == "#" else fold(match[0])
        found.append(FoldedWord(folded, match.start(), match.end(), first))
        end = match.end()
    return found


def align(output: Sequence[str], source: Sequence[str]) -> list[int | None]:
    """Tell which word of the source each word of the output is, in order; None where it is none.

    As many words as possible are matched, and of all such alignments the one with the most words
    that follow each other in the source as they do in the output: a longest common subsequence
    (Wagner and Fischer 1974) that prefers runs.
    """
    rows, columns = len(output), len(source)
    # best[i][j]: of the first i and j words; matched[i][j]: of those that end with this match.
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    matched = [[-1.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            if output[i - 1] == source[j - 1]:
                runs = matched[i - 1][j - 1]
                matched[i][j] = 1 + max(best[i - 1][j - 1], runs + _ADJACENT if runs > 0 else 0)
            best[i][j] = max(best[i - 1][j], best[i][j - 1], matched[i][j])
    places: list[int | None] = [None] * rows
    i, j, run = rows, columns, False
    while i and j:
        if run or (matched[i][j] > 0 and matched[i][j] == best[i][j]):
            places[i - 1] = j - 1
            before = matched[i - 1][j - 1]
            run = before > 0 and before + _ADJACENT >= best[i - 1][j - 1]
            i, j = i - 1, j - 1
        elif best[i - 1][j] >= best[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return places


def unfold(output: str, source: str) -> str:
    """Write a folded output as its source is written: capitals and numbers.

    A word that the source lacks stays small; a number that it lacks, or has less often, is left
    out. Sentences begin with a capital.
    """
    said, read = words(output), words(source)
    places = align([word.folded for word in said], [word.folded for word in read])
    used, last = {place for place in places if place is not None}, 0
    parts, end, starts = [], 0, True
    for word, place in zip(said, places, strict=True):
        between = output[end : word.start]
        if place is None:
            same = (i for i, each in enumerate(read) if each.folded == word.folded)
            free = (i for i in same if word.folded != NUMBER or i not in used)
            place = min(free, key=lambda index: abs(index - last), default=None)
        if place is not None:
            used.add(last := place)
        starts = starts or word.first
        end = word.end
        if place is None and word.folded == NUMBER:
            parts.append(between.rstrip("$£€#"))
            continue
        shown = word.folded if place is None else source[read[place].start : read[place].end]
        if place is not None and read[place].first and word.folded in _SMALL:
            shown = shown.lower() if not shown.isupper() or len(shown) == 1 else shown
        parts.append(between + (shown[0].upper() + shown[1:] if starts else shown))
        starts = False
    text = "".join([*parts, output[end:]]).replace("#", "")
    return re.sub(r" +(?=[.,!?;:](?:\s|$))", "", " ".join(text.split()))
