"""The one exception for what a user can cause: its text is a sentence that names the remedy."""

from __future__ import annotations

QUOTED = 60  # letters of a foreign value, at most


class UserError(ValueError):
    """A mistake in the input, a file or a setting; its text is shown to the user as it is."""


class TooLargeError(UserError):
    """A model that does not fit into the memory that is free; it may once others are gone."""


def quote(value: object) -> str:
    """Return a value as a message can quote it; tables and lists may be of any size and depth."""
    if not isinstance(value, str | int | float | None):
        return f"a {type(value).__name__}"
    text = repr(value[: QUOTED + 1] if isinstance(value, str) else value)
    return text if len(text) <= QUOTED + 2 else text[:QUOTED] + "..."
