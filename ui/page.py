"""The frame around every page: the menu, and the way back to it."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitAPIException

from ui.links import renew_address
from ui.runtime.admission import admitted

# Less empty space at the top, inputs as low as their text, examples in a row that scrolls. And
# Streamlit's colours of chosen values and of code are too close to the page's own for small text;
# its ground for code is light, as is text on a coloured button.
STYLE = """<style>
.stMainBlockContainer { padding-top: 4rem; padding-bottom: 3rem; }
.stMainBlockContainer h1 { padding: 0; }
.st-key-text textarea, .st-key-paragraphs textarea {
  min-height: 2.5rem !important; height: auto !important; field-sizing: content; }
.st-key-paragraphs textarea { min-height: 4rem !important; max-height: 50vh; }
.st-key-example [role=radiogroup], .st-key-example [role=group] {
  flex-wrap: nowrap; overflow-x: auto; scrollbar-width: thin; }
.st-key-example button { flex: none; }
.st-key-menu { overflow: hidden; white-space: nowrap; padding-top: 0.3rem; }
.st-key-menu [data-testid=stPageLink] a { padding-block: 0.15rem; }
.st-key-menu [data-testid=stCaptionContainer] { padding: 0.5rem 0 0 0.5rem; }
@media (min-width: 800px) { .stMainBlockContainer { padding: 3rem; } }
@media (min-width: 800px) and (max-width: 1360px) {
  .stMainBlockContainer { padding-inline: 2rem; }
  .st-key-task_bar { gap: 0.5rem; }
  .st-key-task_bar h1 { font-size: 1.5rem; } }
@media (max-width: 640px) {
  .st-key-output_bar > :first-child { flex: 1 0 100%; }
  .st-key-task_bar > :has([data-testid=stSelectbox]) { flex: 1 0 100%; } }
[data-selected=true], [data-selected=true] *, [role=tab][aria-selected=true] p,
[data-testid=stSliderThumbValue], [data-testid=stSliderThumbValue] p, code {
  color: inherit !important; }
button code { background: none !important; }
:has(> .st-key-plotly), .st-key-plotly { display: none; }
</style>"""

# Fields of whole numbers, which Streamlit cannot make of an infinite one in a link.
WHOLE = (
    *("seed", "unit", "horizon", "samples", "context"),
    *("change_from", "change_to", "origins"),
)
_MENU, _WANTED = "has_menu", "wanted_page"
_PAGE, _VISITS = "page_shown", "page_visits"


def show_menu(sections: dict[str, list], moved: dict[str, str]) -> None:
    """Show the menu and run the chosen page, or the one that a visitor came for.

    sections: the pages under their headings. moved: addresses that pages had before, each with the
    file that it leads to now.
    """
    st.session_state[_MENU] = True
    old = [
        st.Page(partial(_send_on, file), url_path=address, title=address, visibility="hidden")
        for address, file in moved.items()
    ]
    pages = [page for section in sections.values() for page in section]
    page = st.navigation([*pages, *old], position="hidden")
    # Streamlit's own menu puts what is under a heading into a list that screen readers cannot read.
    with st.sidebar, st.container(gap=None, key="menu"):
        for heading, section in sections.items():
            if heading:
                st.caption(heading)
            for each in section:
                st.page_link(each)
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
    if st.session_state.get(_PAGE) != file:
        st.session_state[_PAGE] = file
        st.session_state[_VISITS] = page_visit() + 1
    endless = [name for name in WHOLE if not _is_finite(st.query_params.get(name, ""))]
    if endless:
        for name in endless:
            del st.query_params[name]
        st.rerun()
    renew_address()
    if not st.session_state.get(_MENU):
        query = {name: st.query_params.get_all(name) for name in st.query_params}
        st.session_state[_WANTED] = f"pages/{Path(file).name}", query
        try:
            st.switch_page("app.py")
        except StreamlitAPIException:  # run by itself, as in a test: there is no app.py to go to
            del st.session_state[_WANTED]
    with st.container(key="plotly"):  # with this one, Streamlit loads Plotly for all others
        # An empty template: Plotly would copy its own, all of it, in each rerun.
        st.plotly_chart({"data": [{"type": "pie"}], "layout": {"template": {}}})


def page_visit() -> int:
    """Return the number of this visit of a page: another one after each change of pages.

    Inputs of the same name on other pages leave their values in the session; a page that has just
    been opened begins with what its address says instead.
    """
    return st.session_state.get(_VISITS, 0)


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return True  # no number at all is ignored anyway


def is_dark() -> bool:
    """Tell whether the visitor's page is dark."""
    return st.context.theme.type == "dark"
