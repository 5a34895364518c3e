"""Token probabilities, and the candidates of the selected step."""

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
from ui.instruments.run_summary import alternatives_in_words
from ui.instruments.selection import View, add_branch, select_output, select_step
from ui.page import is_dark
from ui.terms import term_help

if TYPE_CHECKING:
    import numpy as np

    from seq2seq.trace import Trace


def show(view: View) -> None:
    """Show the probability of every token, and the alternatives of the selected step."""
    from seq2seq import figures

    st.subheader("Token probabilities", help=term_help("token probability", "log P"))
    trace = view.shown

    chart(
        "probabilities",
        draw(figures.probabilities, view.named_shown, selected=view.step, dark=is_dark()),
        f"Probability of each of the {len(trace.target):,} output tokens.",
        lambda: figures.probabilities_csv(trace),
        _select_step_of("probabilities"),
    )
    if trace.copying is not None:
        _copying(view, trace.copying)
    alternatives_chart(view)
    found = outputs(view.run)
    if len(found) > 1:
        st.subheader("Hypotheses")
        st.caption("Differences from the best one are underlined. Click one to select it.")
        outputs_list("outputs_list", found, view.name, select_output)


def _copying(view: View, shares: np.ndarray) -> None:
    """Show where the output was copied from the source, of a model that can."""
    from seq2seq import figures

    st.subheader("Copy probability", help=term_help("copy probability"))
    st.markdown(
        "At each step the probability p_copy goes to the tokens of the source, by attention, and "
        f"1 − p_copy to the vocabulary. Here p_copy is {shares.mean():.0%} on average and "
        f"{shares[view.step]:.0%} at step {view.step + 1}."
    )
    chart(
        "copying",
        draw(figures.copying, view.named_shown, selected=view.step, dark=is_dark()),
        f"Probability of copying at each of the {len(shares):,} steps.",
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
    """Show the candidates of the selected step, and let the visitor continue with one."""
    from seq2seq import figures

    st.subheader("Candidates at this step", help=term_help("candidate", "softmax"))
    trace, step = view.shown, view.step

    def go_on(token: int) -> None:
        if token != trace.target.ids[step]:
            add_branch((*trace.target.ids[:step], token))

    def use_bar() -> None:
        if place := clicked("alternatives"):
            go_on(place[0])

    if not view.subject.missing:
        st.caption(
            "**Continue with another token:** click a bar or choose one below. Decoding then "
            f"continues from step {step + 1}, as a branch beside the other hypotheses."
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
    else:
        _other_tokens(trace, step, go_on)


def _other_tokens(trace: Trace, step: int, go_on: Callable[[int], None]) -> None:
    """Offer the candidates of a step that were not chosen, and a button that takes one."""
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
        asked = st.selectbox(f"Candidate at step {step + 1}", list(others), key="other_token")
        st.button(
            f"Continue with {quoted(asked.partition(': ')[2])}",
            key="go_on_token",
            icon=":material/alt_route:",
            on_click=go_on,
            args=(others[asked],),
        )
