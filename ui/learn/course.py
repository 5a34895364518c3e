"""The contents of the course, and which of its lessons the visitor has finished."""

from __future__ import annotations

import streamlit as st

from seq2seq.lessons.advantages import ADVANTAGES
from seq2seq.lessons.course import LESSONS
from seq2seq.lessons.disadvantages import DISADVANTAGES
from seq2seq.lessons.lesson import Lesson
from ui.escape import plain, quoted
from ui.learn.lesson import lesson_page
from ui.learn.progress import finished
from ui.links import page_link


def learn_page() -> None:
    """Show the lesson that the address names, or the contents."""
    name = st.query_params.get("lesson", "")
    if name in LESSONS:
        lesson_page(LESSONS[name])
        return
    st.title("Course")
    if name:
        st.warning(
            f"There is no lesson {quoted(name[:40])}: choose one below.", icon=":material/warning:"
        )
    st.markdown(
        "What textbooks say about encoder-decoders, one claim a lesson. You predict, a model runs, "
        "and the numbers decide, on this machine and now. A lesson takes three to five minutes."
    )
    done = finished()
    st.progress(len(done) / len(LESSONS), f"{len(done)} of {len(LESSONS)} lessons finished")
    following = next((lesson for name, lesson in LESSONS.items() if name not in done), None)
    if following is not None:
        label = "Continue" if done else "Begin"
        page_link("pages/learn.py", f"{label}: {following.title}", lesson=following.name)
    columns = st.columns(2, gap="large")
    for column, title, lessons in zip(
        columns,
        ("What they are good at", "What they are bad at"),
        (ADVANTAGES, DISADVANTAGES),
        strict=True,
    ):
        with column:
            st.subheader(title)
            for lesson in lessons:
                _entry(lesson, lesson.name in done)


def _entry(lesson: Lesson, is_done: bool) -> None:
    with st.container(border=True):
        mark = " ✓" if is_done else ""
        page_link("pages/learn.py", lesson.title + mark, lesson=lesson.name)
        st.markdown(plain(lesson.claim))
