"""The one exception for what a user can cause: its text is a sentence that names the remedy."""


class UserError(ValueError):
    """A mistake in the input, a file or a setting; its text is shown to the user as it is."""


class TooLargeError(UserError):
    """A model that does not fit into the memory that is free; it may once others are gone."""
