"""What a wider beam costs, measured on a sentence while the visitor waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.components.chart import chart
from ui.escape import plain
from ui.inputs.task_controls import checkpoint_picker, first_checkpoint
from ui.inputs.text_input import empty_state, examples, source_input
from ui.links import URL
from ui.page import is_dark
from ui.runtime.names import checkpoints_for, titles
from ui.runtime.runs import OnPart, Subject, derive_in_parts

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.experiments.beam_cost import BeamCost

SAME = 0.005  # nats, less than is shown


def beam_cost_section() -> None:
    """Search one sentence with beams of several widths; show time, probability and output."""
    st.subheader("What a wider beam costs, measured now")
    st.markdown(
        "Beam search of width k keeps k hypotheses, and each decoding step computes all of them. "
        "Every width decodes your sentence a few times; the fastest time counts."
    )
    first = first_checkpoint("translation")
    if first is None or not st.toggle("Run this experiment", key="timed", **URL):
        return
    names = checkpoints_for("translation", st.query_params.get("searched_by"))
    name = checkpoint_picker(names, "searched_by", shows_label=True) or first
    example = next(iter(examples(first)), "")
    text = source_input("Sentence", "searched", example)
    from seq2seq.inference.inputs import clean

    if not clean(text):
        empty_state("Type a sentence to decode and press Enter.")
        return

    def work(checkpoint: Checkpoint, on_part: OnPart) -> tuple[BeamCost, ...]:
        from seq2seq.experiments.beam_cost import beam_costs

        return beam_costs(checkpoint, text, on_search=on_part)

    costs = derive_in_parts(Subject(name, text), "beam costs", work, "searches")
    if costs is not None:
        _show(name, costs)


def _show(name: str, costs: tuple[BeamCost, ...]) -> None:
    from seq2seq import figures
    from seq2seq.evaluation.results import Curve

    line = Curve(
        titles([name])[name],
        tuple(each.width for each in costs),
        tuple(each.milliseconds for each in costs),
        notes=tuple(f"log P {each.log_probability:.2f}" for each in costs),
    )
    across = figures.XAxis("beam width", at_points=True)
    left, right = st.columns([2, 3], gap="large")
    with left:
        chart(
            "beam_cost",
            figures.curves.plain([line], across, "milliseconds", is_dark()),
            "Milliseconds of encoder and search by beam width: "
            + ", ".join(f"{each.width}: {each.milliseconds:.0f}" for each in costs),
            lambda: figures.curves_csv([line]),
        )
    with right:
        st.dataframe(
            {
                "width": [each.width for each in costs],
                "ms": [round(each.milliseconds, 1) for each in costs],
                "log P": [round(each.log_probability, 2) for each in costs],
                "output": [each.text for each in costs],
            },
            hide_index=True,
        )
        st.markdown(plain(compared(costs[0], costs[-1])))
        st.caption(
            "A beam ranks its outputs by log P divided by their length, or as the checkpoint's own "
            "settings say, so a wider one may choose an output that is less probable."
        )


def compared(narrow: BeamCost, wide: BeamCost) -> str:
    """Say what a wide beam took and found, beside a narrow one."""
    gain = wide.log_probability - narrow.log_probability
    if wide.text == narrow.text:
        found = "found the same output"
    elif abs(gain) < SAME:
        found = "found another output that is as probable"
    else:
        higher = "higher" if gain > 0 else "lower"
        found = f"found an output whose log-probability is {abs(gain):.2f} {higher}"
    return (
        f"Width {wide.width} took {wide.milliseconds / narrow.milliseconds:.1f} times as long as "
        f"width {narrow.width} and {found}."
    )
