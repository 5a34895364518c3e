"""Is attention an explanation? Beside it, what each source word contributes by two measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from ui.components import clicked, scroller
from ui.components.chart import chart
from ui.instruments.selection import View, select_step
from ui.page import is_dark
from ui.runtime.runs import derive
from ui.terms import term_link

ATTENTION, LEAVE_ONE_OUT, GRADIENT = "attention", "Leave-one-out, Δ log P", "gradient × input"

# Pixels that keep the labels of a matrix apart; a narrow screen scrolls the figure, not the page.
LABELS, WORD, LEAST, MOST = 110, 16, 100, 400


def show(view: View) -> None:
    """Show attention, leave-one-out and the gradient, and how well they agree."""
    trace = view.shown
    if trace.position_seconds:
        st.info(
            "Attribution needs source words to remove, and a recording has none: open a text task.",
            icon=":material/info:",
        )
        return
    removing = term_link("leave-one-out", "Leave-one-out")
    gradient = term_link("gradient × input", "Gradient × input")
    st.markdown(
        "Attention is one measure of what a step drew on; whether it mattered is another question. "
        f"{removing} removes each source word in turn and measures how much the log-probability of "
        f"each output token falls. {gradient} follows the gradient back to the words."
    )

    def work(checkpoint: Any, on_step: Any) -> Any:
        from seq2seq.analysis.attribution import attribute
        from seq2seq.decoding.search import Progress

        return attribute(checkpoint, trace, lambda done, total: on_step(Progress(done, total, ())))

    found = derive(view.subject, ("attribution", trace.target.ids), work)
    if found is None:
        return
    measures: dict[str, np.ndarray] = {}
    if found.attention is not None:
        measures[ATTENTION] = found.attention
    else:
        st.caption("This model has no attention; the two other measures need none.")
    measures |= {LEAVE_ONE_OUT: found.occlusion, GRADIENT: found.gradient}
    _matrices(view, measures)
    _agreement(view, measures)


def _matrices(view: View, measures: dict[str, np.ndarray]) -> None:
    from seq2seq.figures.attribution import attributions, attributions_csv

    def select() -> None:
        if place := clicked("attributions"):
            select_step(place[0])

    chart(
        "attributions",
        attributions.plain(view.shown, measures, view.step, is_dark()),
        f"Attribution of output tokens to source words, by {len(measures)} measures: "
        f"{', '.join(measures)}. All numbers are in the CSV.",
        lambda: attributions_csv(view.shown, measures),
        select,
    )
    each = max(LEAST, min(MOST, WORD * len(view.shown.source)))
    scroller(
        "chart_attributions", LABELS + each * len(measures), "Attribution to source words", 0.0
    )


def _agreement(view: View, measures: dict[str, np.ndarray]) -> None:
    from seq2seq.analysis.attribution import agreement
    from seq2seq.figures.attribution import correlations
    from seq2seq.figures.csv_table import table

    pairs = [(ATTENTION, LEAVE_ONE_OUT), (ATTENTION, GRADIENT)]
    if ATTENTION not in measures:
        pairs = [(GRADIENT, LEAVE_ONE_OUT)]
    found = {f"{a} and {b}": agreement(measures[a], measures[b]) for a, b in pairs}
    st.subheader("Do they agree?")
    means = "; ".join(f"{name}: {values.mean():.2f}" for name, values in found.items())
    st.markdown(
        "Rank correlation of the words in each row: 1 for the same order, 0 for none in common, −1 "
        f"for the opposite one. On average, {means}."
    )

    def select() -> None:
        if place := clicked("agreement"):
            select_step(place[0])

    chart(
        "agreement",
        correlations.plain(view.shown, found, view.step, is_dark()),
        f"Rank correlation of each of {len(view.shown.target):,} output tokens.",
        lambda: table(("step", *found), _numbered(found)),
        select,
    )


def _numbered(found: dict[str, np.ndarray]) -> list[tuple[str, ...]]:
    rows = zip(*found.values(), strict=True)
    return [(str(step + 1), *(f"{v:.4f}" for v in row)) for step, row in enumerate(rows)]
