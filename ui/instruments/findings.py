"""Possible problems of a translation, where it is known how often such flags are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from seq2seq.analysis.attention_matrix import Picks, grid
from seq2seq.analysis.attention_metrics import confidence, covers, means
from seq2seq.analysis.problems import OMITTED, Check, Problem, problems, read_checks
from ui.escape import plain
from ui.instruments.selection import View, select_step, select_word
from ui.runtime.cards import catalogued
from ui.runtime.runs import derive

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep

MOST = 8
ICONS = {OMITTED: ":material/visibility_off:"}
UNSURE_ICON = ":material/question_mark:"


def findings_list(view: View, which: str, picks: Picks) -> None:
    """List what may be wrong with a translation; a click selects the word or step."""
    if which != "cross" or not covers(view.shown):
        return
    folder = catalogued().folders.get(view.shown.checkpoint)
    if checks := read_checks(folder) if folder else []:
        found = problems(view.shown, checks, _lost(view, checks))
        st.markdown("**Possible problems**")
        if not found:
            st.caption("None of the checks flags a word.")
        with st.container(gap=None):
            _buttons(view, found)
        if len(found) > MOST:
            st.caption(f"And {len(found) - MOST} more.")
    _confidence(view, picks)


def _lost(view: View, checks: list[Check]) -> np.ndarray | None:
    """Measure what each source word's absence costs, where a check asks for it."""
    trace = view.shown
    if view.subject.missing or not any(check.kind == OMITTED for check in checks):
        return None

    def work(checkpoint: Checkpoint, on_step: OnStep) -> np.ndarray:
        from seq2seq.analysis.attribution import leave_one_out

        return leave_one_out(checkpoint, trace)

    return derive(view.subject, ("leave-one-out", trace.target.ids), work)


def _buttons(view: View, found: list[Problem]) -> None:
    for number, problem in enumerate(found[:MOST]):
        omitted = problem.check.kind == OMITTED
        chosen = view.word if omitted else view.step
        st.button(
            _line(problem),
            key=f"finding_{number}",
            icon=ICONS.get(problem.check.kind, UNSURE_ICON),
            type="primary" if chosen == problem.token else "tertiary",
            help=_why(problem),
            on_click=select_word if omitted else select_step,
            args=(problem.token,),
        )


def _line(problem: Problem) -> str:
    word = f"“{plain(problem.text)}”"
    if problem.check.kind == OMITTED:
        return f"{word}: possible under-translation"
    return f"{word}: unsure, probability {problem.values['probability']:.0%}"


def _why(problem: Problem) -> str:
    check, values = problem.check, problem.values
    if check.kind == OMITTED:
        found = (
            f"From all output words together it received {values['coverage']:.2f} words' worth of "
            f"attention (limit {check.limits['coverage']:g}), and without it no output token loses "
            f"more than {max(0.0, values['loss']):.2f} nat (limit {check.limits['loss']:g})."
        )
        right = "their usual translations were missing from the output"
    else:
        found = (
            f"Its least probable token had {values['probability']:.1%} (limit "
            f"{check.limits['probability']:.0%})."
        )
        right = "no reference translation had the word"
    return (
        f"{found} Of {check.flagged:,} words flagged like this in translations of validation "
        f"sentences, {check.precision:.0%} were problems (precision): {right}. Of all problems of "
        f"this kind, {check.recall:.0%} are flagged (recall); of all words, {check.base:.0%} have "
        "it."
    )


def _confidence(view: View, picks: Picks) -> None:
    value = confidence(grid(view.shown, **means(picks)).weights)
    st.caption(
        f"Confidence {value.total:.2f}: coverage {value.coverage_deviation:.2f}, scatter of rows "
        f"{value.absent_output:.2f}, of columns {value.absent_input:.2f}.",
        help="How well the rows cover the source and how little they scatter, measured without a "
        "reference; 0 would be best. Rikters, Fishel and Bojar 2017, section 3.",
    )
