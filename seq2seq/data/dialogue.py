"""Conversations: the turns that a reply answers, as one source. Needs no torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from seq2seq.data.spans import Span


def source_of(turns: Sequence[str], separator: str) -> str:
    """Join the turns of a conversation, oldest first, to the source of its reply.

    Empty turns are left out. A separator inside a turn becomes a space, so that nothing a visitor
    types can look like a turn. Without a separator, of a model that knows no turns, only the last
    turn is left.
    """
    if not separator:
        return next((turn.strip() for turn in reversed(turns) if turn.strip()), "")
    kept = (" ".join(turn.replace(separator, " ").split()) for turn in turns)
    return f"{separator} ".join(turn for turn in kept if turn)


def turns_of(source: str, separator: str) -> list[str]:
    """Split a source into its turns, oldest first: what source_of has joined."""
    turns = source.split(separator) if separator else [source]
    return [turn.strip() for turn in turns if turn.strip()]


def turn_spans(source: str, separator: str) -> list[Span]:
    """Return where the turns of a source stand in it, the separators between them left out."""
    spans, start = [], 0
    for turn in source.split(separator) if separator else [source]:
        if turn.strip():
            spans.append((start, start + len(turn)))
        start += len(turn) + len(separator)
    return spans


def with_earlier_turns(
    rows: Sequence[tuple[str, str]], separator: str, earlier: int, words: int
) -> list[str]:
    """Return the source of each row with up to so many turns before its own ones.

    rows: (source, reply) as they stand in a file of overlapping pieces of conversations: what came
    before two turns is looked up in the row that ends with them, if there is one such row alone.
    words: most in a source that gets longer.
    """
    before: dict[tuple[str, str], set[str]] = defaultdict(set)
    split = [turns_of(source, separator) for source, _ in rows]
    for turns, (_, reply) in zip(split, rows, strict=True):
        if len(turns) > 1:
            before[turns[-1], reply].add(turns[-2])
    sources = []
    for (source, _), turns in zip(rows, split, strict=True):
        for _ in range(earlier if len(turns) > 1 else 0):
            found = before.get((turns[0], turns[1]), set())
            longer = [*found, *turns]
            if len(found) != 1 or sum(len(turn.split()) for turn in longer) > words:
                break
            source, turns = source_of(longer, separator), longer
        sources.append(source)
    return sources
