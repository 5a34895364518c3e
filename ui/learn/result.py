"""What an experiment has measured: figure, verdict, every number, and its sentences one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from seq2seq.lessons.lesson import Choice, Lesson
from ui.components import clicked
from ui.components.chart import as_key, chart
from ui.escape import plain
from ui.learn.progress import verdicts
from ui.links import page_link
from ui.page import is_dark

if TYPE_CHECKING:
    from seq2seq.experiments.result import Case, Result

VERDICTS = {
    "for": ("For the claim.", "success", ":material/check_circle:"),
    "against": ("Against the claim.", "error", ":material/cancel:"),
    "undecided": ("Undecided: the numbers do not tell.", "warning", ":material/help:"),
    "": ("", "info", ":material/history:"),
}
FEW = 10  # rows that are shown at once
SHOWN = 5  # sentences that are listed at once
WORST, BEST = "Worst first", "Best first"


def show_result(
    lesson: Lesson, answer: Choice | None, result: Result, settings: dict[str, Any] | None = None
) -> None:
    """Show what was measured, and what it says of the claim and of an answer.

    settings: what was changed for it; None for paper, where nothing can be chosen.
    """
    st.metric("Measured", f"{_number(result.value)} {result.unit}")
    _verdict(result, _on_answer(lesson, answer, result))
    if settings is not None:
        _seeds(lesson, settings)
    key = as_key(lesson.name)
    if answer is not None and not lesson.on_figure:
        _prediction(lesson, answer, result)
    predicted = (answer.low, answer.high) if answer is not None and lesson.on_figure else None
    _curves(key, result, predicted, settings is not None)
    for number, each in enumerate(result.also):
        _verdict(each)
        _curves(f"{key}_also_{number}", each, None, settings is not None)


def _verdict(result: Result, on_answer: str = "") -> None:
    text, kind, icon = VERDICTS[result.verdict]
    said = f"**{text}** " if text else ""
    getattr(st, kind)(f"{said}{plain(result.sentence)} {plain(on_answer)}", icon=icon)


def _seeds(lesson: Lesson, settings: dict[str, Any]) -> None:
    """Say which seeds gave which verdict, once there are several."""
    found = verdicts(lesson.name, settings)
    if len(found) > 1:
        listed = ", ".join(f"seed {seed} {verdict}" for seed, verdict in sorted(found.items()))
        alike = "all alike" if len(set(found.values())) == 1 else "not all alike"
        st.caption(f"Verdicts by seed in this visit, {alike}: {listed}.")


def _prediction(lesson: Lesson, answer: Choice, result: Result) -> None:
    """Draw the answer beside what was measured."""
    from seq2seq import figures

    labels = [choice.label for choice in lesson.choices]
    chosen, at = lesson.choices.index(answer), lesson.place(result.value)
    measured = f"{_number(result.value)} {result.unit}"
    right = lesson.choices.index(lesson.right(result.value))
    chart(
        f"prediction_{as_key(lesson.name)}",
        figures.prediction.plain(labels, chosen, at, measured, is_dark()),
        f"You answered {answer.label}; {measured} was measured, which is {labels[right]}.",
        lambda: figures.prediction_csv(labels, chosen, right, measured),
    )


def _curves(
    key: str, result: Result, predicted: tuple[float, float] | None, can_choose: bool
) -> None:
    """Show the curves of a result, how they came about, and every number."""
    from seq2seq import figures

    chosen = f"{key}_place"

    def choose() -> None:
        if point := clicked(key):
            st.session_state[chosen] = round(float(point[0]))
            st.session_state[f"{chosen}_open"] = True

    chart(
        key,
        figures.experiment.plain(result, predicted, is_dark()),
        result.sentence,
        lambda: figures.experiment_csv(result),
        choose if result.cases and can_choose else None,
    )
    if result.recorded:
        st.caption(f"{result.counts}.")
    else:
        took = f"{result.seconds:.1f} s on this machine"
        st.caption(f"{result.counts}; seed {result.seed}; {took}.")
    if result.cases and can_choose:
        _cases(chosen, result)
    few = len(next(iter(result.table.values()))) <= FEW
    with st.expander("What was measured, one by one", expanded=few):
        st.dataframe({name: list(values) for name, values in result.table.items()}, hide_index=True)


def _cases(key: str, result: Result) -> None:
    """List the sentences of one place of the figure, each with a link to look at it."""
    is_open = st.session_state.get(f"{key}_open", False)
    ticks, places = result.axes.ticks, sorted({round(case.at) for case in result.cases})
    if st.session_state.get(key) not in places:
        st.session_state[key] = places[-1]
    with st.expander("Sentences behind a point (click one in the figure)", expanded=is_open):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            place = st.selectbox(
                result.axes.x.capitalize(),
                places,
                format_func=lambda at: ticks[at - 1],
                key=key,
                width=300,
            )
            order = st.segmented_control(
                "Order", (WORST, BEST), default=WORST, required=True, key=f"{key}_order"
            )
        cases = [case for case in result.cases if round(case.at) == place]
        cases.sort(key=lambda case: case.score, reverse=order == BEST)
        for number, case in enumerate(cases[:SHOWN], start=1):
            _case(number, case)


def _case(number: int, case: Case) -> None:
    st.markdown(
        f"{number}\\. {plain(case.source)}  \n{plain(case.output)} ({case.score:.0f} chrF)  \n"
        f"*Reference:* {plain(case.reference)}"
    )
    if len(case.models) > 1:
        page_link(
            "pages/compare.py", "Open in Compare", sentence=case.source, models=list(case.models)
        )
    else:
        page_link(
            "pages/translation.py",
            "Open in Translation",
            text=case.source,
            checkpoint=case.models[0],
        )


def _on_answer(lesson: Lesson, answer: Choice | None, result: Result) -> str:
    """Say whether an answer was right, and what would be the case if it were; "" without one."""
    if answer is None:
        return ""
    if lesson.right(result.value) is answer:
        said = f"Your answer, “{answer.label}”, was right"
        # What would be the case if another answer were right need not be said of this one.
        return f"{said}." if " would " in f" {answer.meaning} " else f"{said}: {answer.meaning}."
    return (
        f"Your answer, “{answer.label}”, is not what was measured. It would mean: {answer.meaning}."
    )


def _number(value: float) -> str:
    """Write a number with three digits that matter, thousands grouped."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
