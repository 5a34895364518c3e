"""The frame around every page: the menu, and the way back to it."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitAPIException

from ui.runtime.admission import admitted

# Less empty space at the top; and Streamlit's colours of chosen values and of code are too close to
# the page's own for small text.
STYLE = """<style>
.stMainBlockContainer { padding-top: 3.5rem; padding-bottom: 3rem; }
@media (min-width: 800px) { .stMainBlockContainer { padding-left: 3rem; padding-right: 3rem; } }
[data-selected=true], [data-selected=true] *, [role=tab][aria-selected=true] p,
[data-testid=stSliderThumbValue], [data-testid=stSliderThumbValue] p, code {
  color: inherit !important; }
:has(> .st-key-plotly), .st-key-plotly { display: none; }
</style>"""

# Fields of whole numbers, which Streamlit cannot make of an infinite one in a link.
WHOLE = ("seed", "unit")
_MENU, _WANTED = "has_menu", "wanted_page"


def show_menu(pages: list, moved: dict[str, str]) -> None:
    """Show the menu and run the chosen page, or the one that a visitor came for.

    moved: addresses that pages had before, each with the file that it leads to now.
    """
    st.session_state[_MENU] = True
    old = [
        st.Page(partial(_send_on, file), url_path=address, title=address, visibility="hidden")
        for address, file in moved.items()
    ]
    page = st.navigation([*pages, *old])
    if _WANTED in st.session_state:
        name, query = st.session_state.pop(_WANTED)
        st.switch_page(name, query_params=query)
    with admitted(st.empty()):
        page.run()


def _send_on(file: str) -> None:
    """Lead a link to an old address to the page's new one, with all that the link says."""
    query = {name: st.query_params.get_all(name) for name in st.query_params}
    st.switch_page(file, query_params=query)


def begin_page(file: str) -> None:
    """Start a page; to be called first.

    Until app.py has run once, Streamlit serves a link to a page without it, so without the menu.
    The visitor is then sent through app.py and back here, query and all.
    """
    st.html(STYLE)
    endless = [name for name in WHOLE if not _is_finite(st.query_params.get(name, ""))]
    if endless:
        for name in endless:
            del st.query_params[name]
        st.rerun()
    if not st.session_state.get(_MENU):
        query = {name: st.query_params.get_all(name) for name in st.query_params}
        st.session_state[_WANTED] = f"pages/{Path(file).name}", query
        try:
            st.switch_page("app.py")
        except StreamlitAPIException:  # run by itself, as in a test: there is no app.py to go to
            del st.session_state[_WANTED]
    with st.container(key="plotly"):  # with this one, Streamlit loads Plotly for all others
        st.plotly_chart([{"type": "pie"}])


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return True  # no number at all is ignored anyway


def is_dark() -> bool:
    """Tell whether the visitor's page is dark."""
    return st.context.theme.type == "dark"
