"""The glossary: a search, the symbols, and the terms by topic."""

from __future__ import annotations

import streamlit as st

from seq2seq.lessons.glossary import GROUPS, TERMS, Term, found
from ui.escape import plain, quoted
from ui.links import URL, page_link

MAX_QUERY = 100


def glossary_page() -> None:
    """Show the terms that hold what the visitor looks for, all of them where that is nothing."""
    query = st.text_input(
        "Search the glossary",
        key="term",
        placeholder="For example attention, beam or LSTM",
        max_chars=MAX_QUERY,
        autocomplete="off",
        **URL,
    )
    if not (query or "").strip():
        st.caption(f"{len(TERMS)} terms. On other pages, hover over an underlined term.")
        _symbols()
        _groups(dict(GROUPS))
        return
    hits = found(query)
    if not hits:
        st.info(
            f"No term matches {quoted(query)}: try a shorter word, or clear the search to see all.",
            icon=":material/search_off:",
        )
    _groups(hits)


def _symbols() -> None:
    """Show the symbols of all pages in one table."""
    st.subheader("Symbols", anchor=False)
    rows = [
        f"| ${term.symbol}$ | {plain(term.name)} |"
        for terms in GROUPS.values()
        for term in terms
        if term.symbol
    ]
    half = (len(rows) + 1) // 2
    for column, part in zip(st.columns(2), (rows[:half], rows[half:]), strict=True):
        column.markdown("\n".join(["| Symbol | Term |", "| --- | --- |", *part]))


def _groups(groups: dict[str, list[Term]] | dict[str, tuple[Term, ...]]) -> None:
    for name, terms in groups.items():
        st.subheader(name, anchor=False)
        for term in terms:
            with st.container(border=True):
                _entry(term)


def _entry(term: Term) -> None:
    symbol = f" &nbsp; ${term.symbol}$" if term.symbol else ""
    st.markdown(f"**{plain(term.name)}**{symbol}  \n{plain(term.definition)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(term.source), width="stretch")
        page_link(term.link.page, f"See it: {term.link.label}", **dict(term.link.query))
