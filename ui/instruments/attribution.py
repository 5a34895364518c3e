"""Is attention an explanation? Beside it, what source words were really worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from ui.components import clicked, scroller
from ui.components.chart import chart
from ui.instruments.selection import View, select_step
from ui.page import is_dark
from ui.runtime.runs import derive

ATTENTION, LEFT_OUT, GRADIENT = "attention", "lost without the word", "gradient × input"

# Pixels that keep the labels of a matrix apart; a narrow screen scrolls the figure, not the page.
LABELS, WORD, LEAST, MOST = 110, 16, 100, 400


def show(view: View) -> None:
    """Show attention, the loss without each word and the gradient, and how they agree."""
    trace = view.shown
    if trace.position_seconds:
        st.info(
            "A recording has no words to leave out, so there is nothing to compare its attention "
            "with.",
            icon=":material/info:",
        )
        return
    st.markdown(
        "Attention tells where a step looked. Whether that mattered is another question: here each "
        "source word is left out in turn, and the fall of each output token's log-probability is "
        "measured; and the gradient is followed back to the words."
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
        st.caption("This model has no attention: the two other measures work all the same.")
    measures |= {LEFT_OUT: found.occlusion, GRADIENT: found.gradient}
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
        f"What source words meant for output tokens, by {len(measures)} measures: "
        f"{', '.join(measures)}. All numbers are in the CSV.",
        lambda: attributions_csv(view.shown, measures),
        select,
    )
    each = max(LEAST, min(MOST, WORD * len(view.shown.source)))
    scroller("chart_attributions", LABELS + each * len(measures), "What the words meant", 0.0)


def _agreement(view: View, measures: dict[str, np.ndarray]) -> None:
    from seq2seq.analysis.attribution import agreement
    from seq2seq.figures.attribution import correlations
    from seq2seq.figures.csv_table import table

    pairs = [(ATTENTION, LEFT_OUT), (ATTENTION, GRADIENT)]
    if ATTENTION not in measures:
        pairs = [(GRADIENT, LEFT_OUT)]
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
        f"Rank correlation of each of {len(view.shown.target)} output tokens.",
        lambda: table(("step", *found), _numbered(found)),
        select,
    )


def _numbered(found: dict[str, np.ndarray]) -> list[tuple[str, ...]]:
    rows = zip(*found.values(), strict=True)
    return [(str(step + 1), *(f"{v:.4f}" for v in row)) for step, row in enumerate(rows)]
