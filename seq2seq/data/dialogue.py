"""Conversations: the turns that a reply answers, as one source. Needs no torch."""

from __future__ import annotations

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
