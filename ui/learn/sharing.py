"""What leaves a lesson: a link for a class, a page to print, a notebook."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import streamlit as st

from seq2seq.errors import UserError
from seq2seq.lessons.lesson import Lesson
from ui.components.chart import as_key
from ui.escape import plain
from ui.learn.inputs import model_key, sentence_key
from ui.learn.progress import last_measured
from ui.learn.result import show_result
from ui.links import page_link
from ui.runtime.model_store import models

_PREDICTION, _HIDDEN = "prediction", "hidden"
_VIEW, _PRINT = "view", "print"
# Only the page itself goes to the printer.
PRINTED = """<style>@media print {
  [data-testid=stSidebar], [data-testid=stHeader], [data-testid=stToolbar], .st-key-unprinted {
    display: none !important; }
  .stMainBlockContainer { padding: 0; max-width: none; }
}</style>"""


def is_hidden() -> bool:
    """Tell whether a class link leaves the question to the teacher."""
    return st.query_params.get(_PREDICTION) == _HIDDEN


def is_print() -> bool:
    """Tell whether the page is to be printed."""
    return st.query_params.get(_VIEW) == _PRINT


def share(lesson: Lesson) -> None:
    """Offer the notebook of a lesson, a page to print, and a link for a class."""
    st.download_button(
        "Notebook",
        lambda: _notebook(lesson),
        f"{lesson.name}.ipynb",
        "application/x-ipynb+json",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="The same lesson for Jupyter: text, code, figure and something to change.",
    )
    page_link("pages/learn.py", "Print view", lesson=lesson.name, view=_PRINT)
    with st.popover("For teachers", icon=":material/school:", type="tertiary"):
        hides = bool(lesson.question) and not st.toggle(
            "Students predict first", True, key="class_predicts"
        )
        st.caption("Opens this lesson with the model, the sentence and the seed that stand here.")
        st.code(class_link(lesson, hides), language=None, wrap_lines=True)


def _notebook(lesson: Lesson) -> str:
    from seq2seq.lessons.notebook import notebook

    try:
        return json.dumps(notebook(lesson, models().get), ensure_ascii=False, indent=1)
    except UserError as error:  # without its model, all but the diagram
        return json.dumps(notebook(lesson, None, str(error)), ensure_ascii=False, indent=1)


def class_link(lesson: Lesson, hides: bool) -> str:
    """Return a link to a lesson as it stands, without answers and finished lessons."""
    keys = [f"{as_key(lesson.name)}_{control.setting}" for control in lesson.controls]
    keys += ["seed", sentence_key(lesson), model_key(lesson), "reference"]
    query = {"lesson": lesson.name}
    query |= {key: st.query_params[key] for key in keys if key in st.query_params}
    if hides:
        query[_PREDICTION] = _HIDDEN
    return f"{(st.context.url or 'learn').partition('?')[0]}?{urlencode(query)}"


def print_page(lesson: Lesson) -> None:
    """Show a lesson as a sheet of paper: no controls, answers to tick, what was measured."""
    st.html(PRINTED)
    with st.container(key="unprinted"):
        page_link("pages/learn.py", "Back to the lesson", lesson=lesson.name)
        st.caption(
            "Print this page with the browser (Ctrl+P): the menu and this line are not printed."
        )
    st.title(lesson.title)
    if lesson.claim:
        st.markdown(f"> {plain(lesson.claim)} *(the textbook)*")
    st.markdown(plain(lesson.why))
    for section in lesson.sections:
        st.subheader(section.title, anchor=False)
        st.markdown(section.text)
    if lesson.question:
        boxes = "\n".join(f"- ☐ {plain(choice.label)}" for choice in lesson.choices)
        st.markdown(f"**Predict.** {plain(lesson.question)}\n\n{boxes}")
        result = last_measured(lesson.name)
        if result is None:
            st.markdown("**Measured:** ______________ &nbsp; **Verdict:** ______________")
        else:
            show_result(lesson, None, result)
    st.markdown(f"**What this does not show.** {plain(lesson.not_shown)}")
