"""The contents of the course, and which of its lessons the visitor has finished."""

from __future__ import annotations

import streamlit as st

from seq2seq.lessons.course import LESSONS, PARTS
from seq2seq.lessons.lesson import Lesson
from seq2seq.lessons.quiz import QUIZ
from ui.escape import plain, quoted
from ui.learn.lesson import lesson_page
from ui.learn.progress import finished
from ui.learn.quiz import quiz_page
from ui.learn.sharing import is_print, print_page
from ui.links import page_link
from ui.page import page_visit

_CAME = "came_to_lesson"


def learn_page() -> None:
    """Show the lesson that the address names, or the contents."""
    name = st.query_params.get("lesson", "")
    _renew_address(name)
    if name == QUIZ:
        quiz_page()
        return
    if name in LESSONS:
        (print_page if is_print() else lesson_page)(LESSONS[name])
        return
    st.title("Course")
    if name:
        st.warning(
            f"There is no lesson {quoted(name[:40])}: choose one below.", icon=":material/warning:"
        )
    st.markdown(
        "What textbooks say about encoder-decoders, one claim a lesson, and how it all works. You "
        "predict, a model runs, and the numbers decide, on this machine and now. A lesson takes "
        "three to five minutes, the whole about an hour."
    )
    done = finished()
    st.progress(len(done) / len(LESSONS), f"{len(done)} of {len(LESSONS)} lessons finished")
    following = next((lesson for name, lesson in LESSONS.items() if name not in done), None)
    with st.container(horizontal=True):
        if following is not None:
            label = "Continue" if done else "Begin"
            page_link("pages/learn.py", f"{label}: {following.title}", lesson=following.name)
        page_link("pages/learn.py", "Closing quiz", lesson=QUIZ)
    for title, lessons in PARTS.items():
        st.subheader(title)
        columns = st.columns(min(3, len(lessons)))
        for place, lesson in enumerate(lessons):
            with columns[place % len(columns)]:
                _entry(lesson, lesson.name in done)


def _renew_address(name: str) -> None:
    """Let the address name the lesson that a link within the course has led to, with the ticks.

    Streamlit shows what such a link asks for, but leaves the address of the browser as it was; what
    the visitor does next would lead back to it.
    """
    came, done = (page_visit(), name, is_print()), ".".join(finished())
    before = st.session_state.setdefault(_CAME, came)
    st.session_state[_CAME] = came
    has_moved = before[0] == came[0] and before != came
    if has_moved or done != st.query_params.get("done", ""):
        st.query_params.update({"done": done} if done else {})  # even nothing new is sent


def _entry(lesson: Lesson, is_done: bool) -> None:
    with st.container(border=True):
        mark = " ✓" if is_done else ""
        page_link("pages/learn.py", lesson.title + mark, lesson=lesson.name)
        st.markdown(plain(lesson.claim or _first_sentence(lesson.why)))


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".") + "."
