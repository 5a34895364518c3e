"""The address of a page: what makes a link restore its controls, and links to other pages."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

# What makes a widget's value stand in the address, under the widget's key.
URL: Any = {"bind": "query-params"}


def page_link(page: str, label: str, **query: str | list[str]) -> None:
    """Link to another page with its controls set; nothing where a page runs without the menu."""
    with suppress(StreamlitAPIException):
        st.page_link(page, label=label, icon=":material/arrow_forward:", query_params=query)
