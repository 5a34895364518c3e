"""Conversations: the turns that a reply answers, as one source. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence


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
