"""A lesson: what it explains, claim, prediction, measurement, verdict, something to change."""

from __future__ import annotations

import streamlit as st

from seq2seq.lessons.course import LESSONS
from seq2seq.lessons.lesson import Lesson, Section
from seq2seq.lessons.quiz import QUIZ
from ui.escape import plain
from ui.learn.experiment import experiment
from ui.learn.inputs import as_it_stands
from ui.learn.progress import finish, is_finished
from ui.learn.sharing import share
from ui.learn.views import VIEWS
from ui.links import page_link


def lesson_page(lesson: Lesson) -> None:
    """Show one lesson. Nothing is measured before the visitor has answered."""
    names = list(LESSONS)
    place = names.index(lesson.name)
    st.title(lesson.title)
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_bar"):
        page_link("pages/learn.py", "Course")
        st.caption(f"Lesson {place + 1} of {len(names)}")
        share(lesson)
    claim = f"> {plain(lesson.claim)} *(the textbook)*\n\n" if lesson.claim else ""
    st.markdown(f"{claim}{plain(lesson.why)}")
    for section in lesson.sections:
        _section(lesson, section)
    if lesson.question:
        experiment(lesson)
    elif not is_finished(lesson.name):
        st.button("Mark as finished", icon=":material/check:", on_click=finish, args=(lesson.name,))
    st.markdown(f"**What this does not show.** {plain(lesson.not_shown)}")
    with st.container(horizontal=True):
        for link in lesson.deeper:
            page_link(link.page, link.label, **as_it_stands(lesson, dict(link.query)))
        if place + 1 < len(names):
            following = LESSONS[names[place + 1]]
            page_link("pages/learn.py", f"Next: {following.title}", lesson=following.name)
        else:
            page_link("pages/learn.py", "Next: the closing quiz", lesson=QUIZ)


def _section(lesson: Lesson, section: Section) -> None:
    st.subheader(section.title, anchor=False)
    st.markdown(section.text)
    if section.view:
        VIEWS[section.view](lesson)
