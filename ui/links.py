"""The address of a page: what makes a link restore its controls, and links to other pages."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

# What makes a widget's value stand in the address, under the widget's key.
URL: Any = {"bind": "query-params"}
# Values of bound widgets that older links hold, by the widget's key, and what they are called now.
RENAMED = {
    "tab": {"Inside a step": "Step internals"},
    "which": {
        "To the source": "Cross-attention",
        "Within the source": "Encoder self-attention",
        "Within the output": "Decoder self-attention",
    },
    "preset": {
        "All words alike": "Uniform",
        "One token further": "Shift right",
        "One token back": "Shift left",
        "Two words exchanged": "Swap two words",
        "By hand": "Custom",
        "Make it say": "Optimize for a word",
    },
    "vector": {"Last state h_T": "Final state h_T"},
    "source_language": {"as it hears": "Detect language"},
}


def renew_address(renamed: Mapping[str, Mapping[str, str]] = RENAMED) -> None:
    """Let a link of an older version say the same as before, and run the page again if it did not.

    renamed: the new value for each old one, by the widget's key. A bound widget reads the address
    when the run starts, so a value that is renewed later would come too late for it.
    """
    renewed = {
        name: values[asked]
        for name, values in renamed.items()
        if (asked := st.query_params.get(name, "")) in values
    }
    if renewed:
        st.query_params.update(renewed)
        st.rerun()


def page_link(page: str, label: str, **query: str | list[str]) -> None:
    """Link to another page with its controls set; nothing where a page runs without the menu."""
    with suppress(StreamlitAPIException):
        st.page_link(page, label=label, icon=":material/arrow_forward:", query_params=query)
