"""What shows a run. One output step is selected in all of them: by token, row, bar or slider."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from seq2seq.trace import Trace, shown
from ui.components import is_dark, output_tokens
from ui.text import quoted

BOUND: Any = {"bind": "query-params"}


@st.fragment
def instruments(trace: Trace) -> None:
    """Show a run: output, attention, alternatives, probabilities, n-best list, downloads."""
    output_place = st.container()
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.subheader("What else it considered")
        step = _step_slider(trace)
    with output_place:
        output_tokens(trace, "output", step, _select_step)
        timing(trace)
    with left:
        st.subheader("Where it looked")
        view = _attention_controls(trace)
        attention_chart(trace, "attention", step=step, **view)
    with right:
        described = _alternatives_in_words(trace, step)
        _chart("alternatives", described, trace, "alternatives", step=step)
    st.subheader("How sure it was")
    _probability_chart(trace, step)
    st.subheader("The best outputs found")
    _n_best(trace)
    st.subheader("Take it with you")
    _downloads(trace, view)


def _attention_controls(trace: Trace) -> dict[str, Any]:
    """Let the visitor choose which attention is drawn; returns settings of the figure."""
    view: dict[str, Any] = {}
    # What is chosen stands in the address, so it is what is shown.
    kinds = {"To the source": "cross"}
    if trace.encoder_attention is not None:
        kinds["Within the source"] = "encoder"
    if trace.decoder_attention is not None:
        kinds["Within the output"] = "decoder"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(kinds) > 1:
            view["which"] = kinds[st.selectbox("Attention", list(kinds), key="which", **BOUND)]
        arrays = {"encoder": trace.encoder_attention, "decoder": trace.decoder_attention}
        shown_array = arrays.get(view.get("which", "cross"), trace.attention)
        if shown_array is not None:
            first = 0 if view.get("which") == "encoder" else 1
            layers, heads = shown_array.shape[first : first + 2]
            view["layer"] = _number_picker("Layer", layers)
            view["head"] = _number_picker("Head", heads)
        if view.get("which", "cross") == "cross" and not trace.position_seconds:
            view["by_word"] = st.toggle("Whole words", key="by_word", **BOUND)
    if trace.decoder_attention is not None and trace.encoder_attention is None:
        st.caption("How the source looks at itself is not kept for one as long as this.")
    return view


def _number_picker(name: str, count: int) -> int | None:
    """Let the visitor choose one of several layers or heads, or their mean; from 0."""
    if count == 1:
        return None
    chosen = st.selectbox(name, ["mean", *map(str, range(1, count + 1))], key=name.lower(), **BOUND)
    return None if chosen == "mean" else int(chosen) - 1


def _step_slider(trace: Trace) -> int:
    """Let the visitor choose a step by mouse or keyboard; returns it, from 0."""
    count = len(trace.target)
    if count == 1:
        return 0
    if "step" in st.session_state:  # a new run may be shorter than the one before
        st.session_state["step"] = min(max(1, st.session_state["step"]), count)
    step = st.slider(
        "Output step",
        1,
        count,
        key="step",
        bind="query-params",
        help="A click on a token, a row of the matrix or a bar chooses it too.",
    )
    return step - 1


def _select_step(step: int) -> None:
    st.session_state["step"] = step + 1


def attention_chart(
    trace: Trace,
    key: str,
    by_word: bool = False,
    step: int | None = None,
    which: str = "cross",
    **view: Any,
) -> None:
    """Show where the model looked; with a step, its row is framed and a click chooses another."""
    if trace.attention is None:
        st.info(
            "This model has no attention: all that its decoder sees of the source is one vector.",
            icon=":material/visibility_off:",
        )
        return

    def select() -> None:
        points = st.session_state[key].selection.points
        if points:
            row = points[0]["customdata"][0]
            _select_step(trace.target.words.index(row) if by_word else row)

    described = (
        f"Matrix of attention weights: {len(trace.target)} output tokens, "
        f"{len(trace.source)} source positions. All weights are in the CSV below."
    )
    if which == "encoder":
        step = None
    _chart(
        "attention",
        described,
        trace,
        key,
        select if step is not None else None,
        by_word=by_word,
        selected=step,
        which=which,
        **view,
    )


def _probability_chart(trace: Trace, step: int) -> None:
    def select() -> None:
        points = st.session_state["probabilities"].selection.points
        if points:
            _select_step(points[0]["point_index"])

    described = f"Probability of each of the {len(trace.target)} output tokens."
    _chart("probabilities", described, trace, "probabilities", select, selected=step)


def _chart(
    kind: str,
    described: str,
    trace: Trace,
    key: str | None = None,
    on_select: Callable[[], None] | None = None,
    **settings: Any,
) -> None:
    from seq2seq import figures

    st.plotly_chart(
        getattr(figures, kind)(trace, **settings, dark=is_dark()),
        key=key,
        theme=None,
        on_select=on_select or "ignore",
        selection_mode="points",
        config={"displayModeBar": False, "responsive": True},
        alt=described,
    )


def _alternatives_in_words(trace: Trace, step: int) -> str:
    pieces = trace.alternatives.pieces[step][:5]
    values = trace.alternatives.log_probabilities[step][:5].tolist()
    listed = (f"{shown(p)} {math.exp(v):.0%}" for p, v in zip(pieces, values, strict=True))
    return f"Most probable tokens of step {step + 1}: {', '.join(listed)}."


def timing(trace: Trace) -> None:
    """Say what went in and out, and what it took."""
    seconds = trace.seconds
    st.caption(
        f"{quoted(trace.checkpoint)} "
        f"{len(trace.source)} tokens in, {len(trace.target)} out in "
        f"{sum(seconds.values()) * 1000:.0f} ms: encoder {seconds['encode'] * 1000:.0f}, "
        f"search {seconds['search'] * 1000:.0f} ({trace.precision}), "
        f"record {seconds['record'] * 1000:.0f}. "
        f"Log-probability {trace.outputs[0].log_probability:.2f}."
    )


def _n_best(trace: Trace) -> None:
    st.dataframe(
        {
            "output": [output.text for output in trace.outputs],
            "score": [round(output.score, 3) for output in trace.outputs],
            "log-probability": [round(output.log_probability, 3) for output in trace.outputs],
            "tokens": [len(output.pieces) for output in trace.outputs],
            "complete": [output.finished for output in trace.outputs],
        },
        hide_index=True,
    )


def _downloads(trace: Trace, view: dict[str, Any]) -> None:
    from seq2seq import figures

    files: list[tuple[str, str, str, Callable[[], Any]]] = [
        ("Run (JSON)", "run.json", "application/json", trace.to_json)
    ]
    if trace.attention is not None:
        table = lambda: figures.attention_csv(trace, **view)  # noqa: E731
        page = lambda: figures.attention(trace, **view).to_html()  # noqa: E731
        files.append(("Attention (CSV)", "attention.csv", "text/csv", table))
        files.append(("Attention (HTML)", "attention.html", "text/html", page))
    with st.container(horizontal=True):
        for label, name, kind, data in files:
            st.download_button(
                label, data, name, kind, on_click="ignore", icon=":material/download:"
            )
