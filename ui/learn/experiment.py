"""The part of a lesson that measures: the question, what can be changed, the run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq.lessons.lesson import Choice, Control, Lesson
from ui.components import plot
from ui.components.chart import as_key
from ui.escape import plain
from ui.learn.inputs import MAX_SENTENCE, check_link, check_sentence, sentence_key
from ui.learn.progress import finish, remember
from ui.learn.result import show_result
from ui.learn.sharing import is_hidden
from ui.links import URL
from ui.page import is_dark
from ui.runtime.experiments import measure, measured
from ui.runtime.names import titles

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from seq2seq.experiments.result import Partial, Result

MOST_SEED = 99
BETWEEN = 0.8  # seconds between two drawings of what is known already
NUMBER = "partial_drawings"


def experiment(lesson: Lesson) -> None:
    """Ask, measure once there is an answer, and show what was measured."""
    hidden = is_hidden()
    answer = None if hidden else _question(lesson)
    stage = st.container()
    seed, settings = _controls(lesson)
    if lesson.sentence and not settings.get("text", lesson.sentence):
        stage.info("Nothing to read yet: type a sentence and press Enter.")
        return
    with stage:
        result = _measure(lesson, hidden or answer is not None, seed, settings)
        if result is not None:
            remember(lesson.name, seed, settings)
            show_result(lesson, answer, result, settings)
            finish(lesson.name)


def _question(lesson: Lesson) -> Choice | None:
    labels, key = [choice.label for choice in lesson.choices], f"answer_{as_key(lesson.name)}"
    check_link(key, labels, "answer")
    answer = st.radio(
        f"**Predict.** {lesson.question}", labels, index=None, horizontal=True, key=key, **URL
    )
    return None if answer is None else lesson.choices[labels.index(answer)]


def _controls(lesson: Lesson) -> tuple[int, dict[str, Any]]:
    """Let the visitor change something; returns the seed and what differs from the default."""
    check_link("seed", range(MOST_SEED + 1), "seed")
    text = _sentence(lesson) if lesson.sentence else ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = {each.setting: _control(lesson, each) for each in lesson.controls}
        seed = st.number_input(
            "Seed",
            0,
            MOST_SEED,
            key="seed",
            width=130,
            help="All random numbers follow from it: with another seed, others are drawn.",
            **URL,
        )
    defaults = {each.setting: each.values[0] for each in lesson.controls}
    changed = {name: value for name, value in chosen.items() if value != defaults[name]}
    if text != lesson.sentence:
        changed["text"] = text
    return int(seed), changed


def _sentence(lesson: Lesson) -> str:
    check_sentence(lesson)
    text = st.text_input(
        "Sentence",
        lesson.sentence,
        MAX_SENTENCE,
        key=sentence_key(lesson),
        autocomplete="off",
        **URL,
    )
    return " ".join((text or "").split())


def _control(lesson: Lesson, control: Control) -> Any:
    key = f"{as_key(lesson.name)}_{control.setting}"
    if control.setting == "model":
        called = titles([str(value) for value in control.values])
    else:
        called = {str(value): _written(value) for value in control.values}
    check_link(key, list(called.values()), control.label.lower())
    return st.selectbox(
        control.label,
        control.values,
        format_func=lambda value: called[str(value)],
        key=key,
        width=300 if control.setting == "model" else 200,
        **URL,
    )


def _written(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else f"{value}"


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
    progress, stage = st.empty(), st.empty()
    progress.progress(0.0, "Loading")
    shown = 0.0

    def show(share: float, text: str, partial: Partial | None) -> None:
        nonlocal shown
        progress.progress(share, text)
        if partial is not None and time.monotonic() - shown >= BETWEEN:
            shown = time.monotonic()
            _show_partial(stage, partial)

    found = measure(lesson.name, seed, settings, show)
    if found is not None:
        st.rerun()
    asked.discard(key)
    return None


def _show_partial(stage: DeltaGenerator, partial: Partial) -> None:
    """Show what is known before the end: curves as they grow, outputs as they are written."""
    from seq2seq import figures

    known = [curve for curve in partial.curves if curve.x]
    if not known and not partial.texts:
        return
    number = st.session_state[NUMBER] = st.session_state.get(NUMBER, 0) + 1
    with stage.container():
        if known and (axes := partial.axes) is not None:
            across = figures.XAxis(axes.x, axes.ticks, logarithmic=axes.logarithmic)
            drawn = figures.curves.plain(known, across, axes.y, is_dark())
            plot(f"partial_{number}", drawn, f"What is known so far: {axes.y} over {axes.x}.")
        for place, column in enumerate(st.columns(3) if partial.texts else ()):
            with column:
                for task, text in list(partial.texts.items())[place::3]:
                    st.markdown(f"**{plain(task.capitalize())}**  \n{plain(text[-200:]) or '…'}")
