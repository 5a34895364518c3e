"""The closing quiz, with what the visitor has measured beside each question."""

from __future__ import annotations

import streamlit as st

from seq2seq.lessons.course import LESSONS
from seq2seq.lessons.quiz import QUESTIONS, QuizQuestion
from ui.components.chart import as_key
from ui.escape import plain
from ui.learn.progress import last_measured
from ui.links import page_link


def quiz_page() -> None:
    """Ask the twelve questions; each is answered at once."""
    st.title("Closing quiz")
    page_link("pages/learn.py", "Course")
    st.markdown(
        "Twelve questions on what the course has measured. Beside each stands what you measured "
        "yourself in this visit, if you did."
    )
    place = st.empty()
    answered, right = 0, 0
    for number, question in enumerate(QUESTIONS, start=1):
        with st.container(border=True):
            chosen = _ask(number, question)
        answered += chosen is not None
        right += chosen == question.right
    place.progress(answered / len(QUESTIONS), f"{right} right of {answered} answered")


def _ask(number: int, question: QuizQuestion) -> int | None:
    """Ask one question; returns the place of the chosen answer."""
    result = last_measured(question.lesson)
    if result is None:
        title = LESSONS[question.lesson].title
        page_link("pages/learn.py", f"Not measured yet: {title}", lesson=question.lesson)
    else:
        st.caption(f"You measured: {plain(result.sentence)}")
    chosen = st.radio(
        f"**{number}.** {plain(question.text)}",
        range(len(question.answers)),
        index=None,
        format_func=lambda place: question.answers[place],
        key=f"quiz_{as_key(question.lesson)}",
    )
    if chosen is None:
        return None
    if chosen == question.right:
        st.success(f"Right: {plain(question.because)}.", icon=":material/check_circle:")
    else:
        said = plain(question.answers[question.right])
        st.error(f"No, {said}: {plain(question.because)}.", icon=":material/cancel:")
    return chosen
