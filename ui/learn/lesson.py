"""A lesson: what it explains, claim, prediction, measurement, verdict, something to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq.lessons.course import LESSONS
from seq2seq.lessons.lesson import Choice, Control, Lesson, Section
from seq2seq.lessons.quiz import QUIZ
from ui.components.chart import as_key, chart
from ui.escape import plain
from ui.learn.progress import finish, is_finished, remember
from ui.learn.sharing import is_hidden, share
from ui.learn.views import VIEWS
from ui.links import URL, page_link
from ui.page import is_dark
from ui.runtime.experiments import measure, measured

if TYPE_CHECKING:
    from seq2seq.experiments.result import Result

MOST_SEED = 99
VERDICTS = {
    "for": ("For the claim.", "success", ":material/check_circle:"),
    "against": ("Against the claim.", "error", ":material/cancel:"),
    "undecided": ("Undecided: the interval holds both.", "warning", ":material/help:"),
}


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
        _experiment(lesson)
    elif not is_finished(lesson.name):
        st.button("Mark as finished", icon=":material/check:", on_click=finish, args=(lesson.name,))
    st.markdown(f"**What this does not show.** {plain(lesson.not_shown)}")
    with st.container(horizontal=True):
        for link in lesson.deeper:
            page_link(link.page, link.label, **dict(link.query))
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


def _experiment(lesson: Lesson) -> None:
    """Ask, measure once there is an answer, and show what was measured."""
    hidden = is_hidden()
    answer = None if hidden else _question(lesson)
    stage = st.container()
    seed, settings = _controls(lesson)
    with stage:
        result = _measure(lesson, hidden or answer is not None, seed, settings)
        if result is not None:
            show_result(lesson, answer, result)
            remember(lesson.name, seed, settings)
            finish(lesson.name)


def _question(lesson: Lesson) -> Choice | None:
    labels = [choice.label for choice in lesson.choices]
    answer = st.radio(
        f"**Predict.** {lesson.question}",
        labels,
        index=None,
        horizontal=True,
        key=f"answer_{as_key(lesson.name)}",
        **URL,
    )
    return None if answer is None else lesson.choices[labels.index(answer)]


def _controls(lesson: Lesson) -> tuple[int, dict[str, Any]]:
    """Let the visitor change something; returns the seed and what differs from the default."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = {each.setting: _control(lesson, each) for each in lesson.controls}
        seed = st.number_input(
            "Seed",
            0,
            MOST_SEED,
            key="seed",
            width=130,
            help="Of all random numbers; another seed measures again.",
            **URL,
        )
    defaults = {each.setting: each.values[0] for each in lesson.controls}
    return int(seed), {name: value for name, value in chosen.items() if value != defaults[name]}


def _control(lesson: Lesson, control: Control) -> Any:
    return st.selectbox(
        control.label,
        control.values,
        format_func=lambda value: f"{value:g}" if isinstance(value, float) else f"{value}",
        key=f"{as_key(lesson.name)}_{control.setting}",
        width=240,
        **URL,
    )


def _measure(lesson: Lesson, may_run: bool, seed: int, settings: dict[str, Any]) -> Result | None:
    """Return the result once the visitor has asked for it."""
    asked = st.session_state.setdefault("asked_experiments", set())
    key = lesson.name, seed, tuple(sorted(settings.items()))
    if key in asked and (found := measured(lesson.name, seed, settings)) is not None:
        return found
    bar = st.container(horizontal=True, vertical_alignment="center")
    if key not in asked:
        label = "Run" if may_run else "Answer first, then run"
        run = bar.button(
            label, type="primary", disabled=not may_run, icon=":material/play_arrow:", key="run"
        )
        if not run:
            return None
        asked.add(key)
        st.rerun()
    bar.button("Stop", icon=":material/stop:", key="stop", on_click=asked.discard, args=(key,))
    place = st.empty()
    place.progress(0.0, "Loading")
    found = measure(lesson.name, seed, settings, lambda share, text: place.progress(share, text))
    if found is not None:
        st.rerun()
    asked.discard(key)
    return None


def show_result(lesson: Lesson, answer: Choice | None, result: Result) -> None:
    """Show what was measured, and what it says of the claim and of an answer."""
    st.metric("Measured", f"{_number(result.value)} {result.unit}")
    _verdict(result, _on_answer(lesson, answer, result))
    predicted = (answer.low, answer.high) if answer is not None and lesson.on_figure else None
    _curves(as_key(lesson.name), result, predicted)
    if result.also is not None:
        _verdict(result.also)
        _curves(f"{as_key(lesson.name)}_also", result.also, None)


def _verdict(result: Result, on_answer: str = "") -> None:
    text, kind, icon = VERDICTS[result.verdict]
    getattr(st, kind)(f"**{text}** {plain(result.sentence)} {plain(on_answer)}", icon=icon)


def _curves(key: str, result: Result, predicted: tuple[float, float] | None) -> None:
    """Show the curves of a result, how they came about, and every number."""
    from seq2seq import figures

    chart(
        key,
        figures.experiment.plain(result, predicted, is_dark()),
        result.sentence,
        lambda: figures.experiment_csv(result),
    )
    st.caption(f"{result.counts}; seed {result.seed}; {result.seconds:.1f} s on this machine.")
    with st.expander("What was measured, one by one"):
        st.dataframe({name: list(values) for name, values in result.table.items()}, hide_index=True)


def _on_answer(lesson: Lesson, answer: Choice | None, result: Result) -> str:
    """Say whether an answer was right, and what would be the case if it were; "" without one."""
    if answer is None:
        return ""
    if lesson.right(result.value) is answer:
        return f"Your answer, “{answer.label}”, was right: {answer.meaning}."
    return f"You answered “{answer.label}”: then {answer.meaning}."


def _number(value: float) -> str:
    """Write a number with three digits that matter, thousands grouped."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
