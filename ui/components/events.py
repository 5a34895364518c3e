"""What a component of our own calls when a visitor has chosen something in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def on_number(key: str, event: str, count: int, use: Callable[[int], Any]) -> Callable[[], None]:
    """Return a callback that hands on the number that an event of a component brought.

    A number that is none of the first `count`, as only a forged message has it, is dropped.
    """

    def call() -> None:
        number = st.session_state[key][event]
        if number is not None and 0 <= number < count:
            use(number)

    return call
