"""The bottleneck, measured while the visitor waits: several sentences read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.errors import UserError
from ui.components.chart import chart
from ui.escape import plain
from ui.inputs.task_controls import checkpoint_picker
from ui.inputs.text_input import source_area
from ui.links import URL
from ui.page import is_dark
from ui.runtime.names import titles
from ui.runtime.runs import OnPart, Subject, derive_in_parts

if TYPE_CHECKING:
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.experiments.concatenation import Concatenation

MOST, LONGEST = 60, 300  # lines that are read, and letters of each
OURS = 24  # sentences of ours
GROUPS = 12  # of each number of sentences


def joining_section(names: list[str]) -> None:
    """Let models read several sentences at once; show how much of each comes through."""
    st.subheader("The bottleneck, measured now")
    st.markdown(
        "Each model decodes short sentences one by one, then several of them at once; the output "
        "is compared with its own outputs for each alone: 100 where nothing is lost. The score "
        "against unrelated sentences is drawn as chance; what came through is how far a curve "
        "lies above it. Without attention one vector holds all sentences; a model with attention "
        "loses as well if it was trained on single sentences only."
    )
    if not st.toggle(
        "Run this experiment",
        key="joined",
        help="Some seconds for each model. What is measured is kept for a while, for all visitors.",
        **URL,
    ):
        return
    lines = _lines()
    if not lines:
        return
    found = {name: joined for name in names if (joined := _joined(name, lines))}
    if found:
        _show(found)


def _lines() -> tuple[str, ...]:
    """Return the sentences to be joined, () if there are too few."""
    from seq2seq.experiments.concatenation import different

    given = source_area(
        "Sentences to be joined, one a line; leave it empty for ours",
        "to_join",
        "sentences",
        reads=f"The first {MOST} lines are read, and the first {LONGEST} letters of each.",
        instead="",
    )
    typed = list(filter(None, map(str.strip, given.splitlines())))
    if len(typed) > MOST or any(len(line) > LONGEST for line in typed):
        st.info(
            f"Only {MOST} lines are read, and {LONGEST} letters of each.", icon=":material/info:"
        )
    try:
        return tuple(different([line[:LONGEST] for line in typed[:MOST]] or _ours()))
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return ()


def _ours() -> list[str]:
    """Return short statements whose grammar is simple."""
    from seq2seq.analysis.probe_sentences import probes

    short = [each.text for each in probes() if each.length == "short" and each.kind == "statement"]
    return short[:OURS]


def _joined(name: str, lines: tuple[str, ...]) -> tuple[Concatenation, ...] | None:
    def work(checkpoint: Checkpoint, on_part: OnPart) -> tuple[Concatenation, ...]:
        from seq2seq.experiments.concatenation import decode_joined

        return decode_joined(checkpoint, lines, groups=GROUPS, on_input=on_part)

    return derive_in_parts(
        Subject(name, "\n".join(lines)), "joined", work, f"inputs of {titles([name])[name]}"
    )


def _show(found: dict[str, tuple[Concatenation, ...]]) -> None:
    from seq2seq import figures
    from seq2seq.experiments.concatenation import joined_curve

    called = titles(list(found))
    curves = [joined_curve(called[name], joined) for name, joined in found.items()]
    everyone = [each for joined in found.values() for each in joined]
    curves.append(joined_curve("by chance", everyone, "chance"))
    across = figures.XAxis("sentences at once", at_points=True)
    chart(
        "joined",
        figures.curves.plain(curves, across, "chrF", is_dark()),
        "How near the output for several sentences comes to those for each alone, from 2 to 6: "
        + "; ".join(f"{line.name} {line.y[0]:.0f} to {line.y[-1]:.0f}" for line in curves),
        lambda: figures.curves_csv(curves),
    )
    name = checkpoint_picker(list(found), "joined_by", "Outputs of", shows_label=True)
    assert name is not None
    rows = found[name]
    st.dataframe(
        {
            "sentences": [each.sentences for each in rows],
            "chrF": [round(each.chrf, 1) for each in rows],
            "source": [each.source for each in rows],
            "output": [each.output for each in rows],
            "outputs for each alone": [each.alone for each in rows],
        },
        hide_index=True,
        height=300,
    )
