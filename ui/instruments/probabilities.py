"""How sure the model was, and what else it could have said."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.analysis.reranking import outputs
from seq2seq.trace import label
from ui.code_export import draw
from ui.components import clicked, outputs_list
from ui.components.chart import chart
from ui.escape import plain, quoted
from ui.instruments.run_summary import alternatives_in_words, precision_note
from ui.instruments.selection import View, add_branch, select_output, select_step
from ui.page import is_dark

if TYPE_CHECKING:
    import numpy as np


def show(view: View) -> None:
    """Show the probability of every token, and the alternatives of the selected step."""
    from seq2seq import figures

    st.subheader("Token probabilities")
    trace = view.shown

    chart(
        "probabilities",
        draw(figures.probabilities, view.named_shown, selected=view.step, dark=is_dark()),
        f"Probability of each of the {len(trace.target)} output tokens.",
        lambda: figures.probabilities_csv(trace),
        _select_step_of("probabilities"),
    )
    if trace.copying is not None:
        _copying(view, trace.copying)
    alternatives_chart(view)
    found = outputs(view.run)
    if len(found) > 1:
        st.subheader("The other outputs of the search")
        st.caption("What differs from the best one is underlined. Click one to look at it.")
        precision_note(view.run)
        outputs_list("outputs_list", found, view.name, select_output)


def _copying(view: View, shares: np.ndarray) -> None:
    """Show where the output was copied from the source, of a model that can."""
    from seq2seq import figures

    st.subheader("Copied or written")
    st.markdown(
        "Each step divides its probability: one part goes to the tokens of the source, by "
        f"attention, the rest to the vocabulary. On average {shares.mean():.0%} are for copying "
        f"here, at step {view.step + 1} {shares[view.step]:.0%}."
    )
    chart(
        "copying",
        draw(figures.copying, view.named_shown, selected=view.step, dark=is_dark()),
        f"Probability of copying at each of the {len(shares)} steps.",
        lambda: figures.copying_csv(view.shown),
        _select_step_of("copying"),
    )


def _select_step_of(chart_key: str) -> Callable[[], None]:
    """Return what chooses the step of the bar that was clicked."""

    def select() -> None:
        if place := clicked(chart_key):
            select_step(place[0])

    return select


def alternatives_chart(view: View) -> None:
    """Show what else the selected step considered, and let the visitor go on with it."""
    from seq2seq import figures

    st.subheader("Candidates at this step")
    trace, step = view.shown, view.step

    def go_on(token: int) -> None:
        if token != trace.target.ids[step]:
            add_branch((*trace.target.ids[:step], token))

    def use_bar() -> None:
        if place := clicked("alternatives"):
            go_on(place[0])

    if not view.subject.missing:
        st.caption(
            f"**Choose another token here:** click a bar, or take one below. The output is then "
            f"written on from step {step + 1}, as a branch beside the others."
        )
    chart(
        "alternatives",
        draw(figures.alternatives, view.named_shown, step=step, dark=is_dark()),
        alternatives_in_words(trace, step),
        lambda: figures.alternatives_csv(trace),
        None if view.subject.missing else use_bar,
    )
    if view.subject.missing:
        st.caption(f"No other token can be chosen. {plain(view.subject.missing)}")
        return
    ids = trace.alternatives.ids[step].tolist()
    others = {
        f"{rank + 1}: {label(piece)}": ids[rank]
        for rank, piece in enumerate(trace.alternatives.pieces[step])
        if ids[rank] != trace.target.ids[step]
    }
    if st.session_state.get("other_token") not in others:
        # Set, not forgotten: a menu whose value nobody sets still shows that of another step.
        st.session_state["other_token"] = next(iter(others))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = st.selectbox(f"Another token at step {step + 1}", list(others), key="other_token")
        st.button(
            f"Continue with {quoted(asked.partition(': ')[2])}",
            key="go_on_token",
            icon=":material/alt_route:",
            on_click=go_on,
            args=(others[asked],),
        )
