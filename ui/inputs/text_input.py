"""What a visitor types, and examples to start from."""

from __future__ import annotations

from urllib.parse import quote_plus

import streamlit as st

from seq2seq.decoding.options import MAX_CHARACTERS
from ui.components import submit_on_enter
from ui.escape import plain
from ui.links import URL
from ui.page import page_visit
from ui.runtime.names import card_of

LONGEST_PILL = 90  # characters of an example that are shown
MAX_TYPED = 20_000  # a longer address is refused by the server
MAX_PASTED = 200_000  # characters of a text of several lines
READS = f"The first {MAX_CHARACTERS:,} characters are read."
_TAKEN = "sentence_taken_along"
SAVED = " The run can be saved as JSON instead."


def source_input(
    label: str, key: str, first: str = "", travels: bool = True, shows_label: bool = True
) -> str:
    """Return the text of one line that the visitor typed, at the beginning `first`.

    travels: it is a sentence that the visitor takes along from page to page. shows_label: where it
    is not shown, a screen reader still reads it.
    """
    _begin(key, first, travels)
    typed = st.text_input(
        label,
        key=key,
        placeholder="Type a sentence and press Enter",
        max_chars=MAX_CHARACTERS,
        help=READS if shows_label else None,
        autocomplete="off",
        label_visibility="visible" if shows_label else "collapsed",
        **URL,
    )
    return _taken_along(typed, first, travels)


def sentences_input(label: str, key: str, first: str = "") -> str:
    """Return one or more sentences that the visitor typed; they travel as in `source_input`."""
    _begin(key, first, travels=True)
    typed = st.text_area(
        label,
        key=key,
        height="content",
        placeholder="Type one or more sentences and press Enter; Shift+Enter begins a line",
        max_chars=MAX_CHARACTERS,
        label_visibility="collapsed",
        **URL,
    )
    submit_on_enter(key)
    return _taken_along(typed, first, travels=True)


def _begin(key: str, first: str, travels: bool) -> None:
    """Fill an input that a page opens with: what was typed on another page, or the first example.

    It is set, not the input's default, so that it stands in the address and a link is complete.
    """
    if st.session_state.get(begun := f"{key} begun") == page_visit():
        return
    st.session_state[begun] = page_visit()
    if key not in st.query_params:
        st.session_state[key] = (travels and st.session_state.get(_TAKEN)) or first


def _taken_along(typed: str, first: str, travels: bool) -> str:
    """Remember a sentence for the next page, unless it is the one that this page opened with."""
    if travels and (typed != first or _TAKEN in st.session_state):
        st.session_state[_TAKEN] = typed
    return typed


def source_area(
    label: str, key: str, query: str, first: str = "", reads: str = READS, instead: str = SAVED
) -> str:
    """Return the text of several lines that the visitor typed.

    It stands in the address under the name `query` as long as it is short enough for a link.
    first: what stands there at the beginning. reads: how much of it is read. instead: what can be
    done where it is too long for a link.
    """
    if st.session_state.get(begun := f"{key} begun") != page_visit():
        st.session_state[begun] = page_visit()
        st.session_state[key] = st.query_params.get(query, first)
    given = st.text_area(
        label,
        key=key,
        height=120,
        placeholder="Paste here and press Ctrl+Enter",
        help=reads,
    )
    linked = given if len(quote_plus(given)) <= MAX_TYPED else ""
    if linked != st.query_params.get(query, ""):
        if linked:
            st.query_params[query] = linked
        else:
            del st.query_params[query]
    if given and not linked:
        st.caption(f"This text is too long for a link, so a copied link leaves it out.{instead}")
    return given[:MAX_PASTED]


def examples(name: str | None) -> tuple[str, ...]:
    """Return the example inputs of a checkpoint."""
    card = card_of(name) if name else None
    return card.examples if card else ()


def example_chips(name: str | None, key: str, target: str) -> None:
    """Offer the checkpoint's example inputs; a click puts one into the input named `target`."""

    def use() -> None:
        if st.session_state[key]:
            st.session_state[target] = st.session_state[key]
            st.session_state[key] = None

    if offered := examples(name):
        st.pills(
            "Examples",
            offered,
            format_func=_first_words,
            key=key,
            on_change=use,
            label_visibility="collapsed",
        )


def _first_words(text: str) -> str:
    text = " ".join(text.split())
    if len(text) > LONGEST_PILL:
        text = text[:LONGEST_PILL].rsplit(" ", 1)[0] + " …"
    return plain(text)


def empty_state(text: str) -> None:
    """Say what to do where there is nothing to show yet."""
    st.info(text, icon=":material/edit:")
