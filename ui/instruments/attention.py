"""Where the model looked: the matrix, by layer and head."""

from __future__ import annotations

from typing import Any

import streamlit as st

from seq2seq.trace import Trace
from ui.chart import chart, clicked
from ui.frame import is_dark
from ui.instruments.probabilities import alternatives_chart
from ui.instruments.view import View, select_step

BOUND: Any = {"bind": "query-params"}


def show(view: View) -> None:
    """Show attention beside what else the step considered."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        settings = _controls(view.shown)
        attention_chart(view.shown, "attention", step=view.step, **settings)
    with right:
        alternatives_chart(view)


def _controls(trace: Trace) -> dict[str, Any]:
    """Let the visitor choose which attention is drawn; returns settings of the figure."""
    settings: dict[str, Any] = {}
    # What is chosen stands in the address, so it is what is shown.
    kinds = {"To the source": "cross"}
    if trace.encoder_attention is not None:
        kinds["Within the source"] = "encoder"
    if trace.decoder_attention is not None:
        kinds["Within the output"] = "decoder"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(kinds) > 1:
            settings["which"] = kinds[st.selectbox("Attention", list(kinds), key="which", **BOUND)]
        arrays = {"encoder": trace.encoder_attention, "decoder": trace.decoder_attention}
        shown_array = arrays.get(settings.get("which", "cross"), trace.attention)
        if shown_array is not None:
            first = 0 if settings.get("which") == "encoder" else 1
            layers, heads = shown_array.shape[first : first + 2]
            settings["layer"] = _number_picker("Layer", layers)
            settings["head"] = _number_picker("Head", heads)
        if settings.get("which", "cross") == "cross" and not trace.position_seconds:
            settings["by_word"] = st.toggle("Whole words", key="by_word", **BOUND)
    if trace.decoder_attention is not None and trace.encoder_attention is None:
        st.caption("How the source looks at itself is not kept for one as long as this.")
    return settings


def _number_picker(name: str, count: int) -> int | None:
    """Let the visitor choose one of several layers or heads, or their mean; from 0."""
    if count == 1:
        return None
    chosen = st.selectbox(name, ["mean", *map(str, range(1, count + 1))], key=name.lower(), **BOUND)
    return None if chosen == "mean" else int(chosen) - 1


def attention_chart(
    trace: Trace,
    key: str,
    by_word: bool = False,
    step: int | None = None,
    which: str = "cross",
    **settings: Any,
) -> None:
    """Show where the model looked; with a step, its row is framed and a click chooses another."""
    if trace.attention is None:
        st.info(
            "This model has no attention: all that its decoder sees of the source is one vector.",
            icon=":material/visibility_off:",
        )
        return
    from seq2seq import figures

    def select() -> None:
        if place := clicked(key):
            select_step(trace.target.words.index(place[0]) if by_word else place[0])

    described = (
        f"Matrix of attention weights: {len(trace.target)} output tokens, "
        f"{len(trace.source)} source positions. All weights are in the CSV below."
    )
    if which == "encoder":
        step = None
    settings |= {"by_word": by_word, "which": which}
    chart(
        key,
        figures.attention(trace, selected=step, dark=is_dark(), **settings),
        described,
        lambda: figures.attention_csv(trace, **settings),
        select if step is not None else None,
    )
