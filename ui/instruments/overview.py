"""Overview: the model at work on the run, to be played; every part leads to a deeper instrument."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from seq2seq.trace import Trace
from ui.components import Ties, live_page, live_picture
from ui.escape import plain
from ui.instruments.attention import sinks_note
from ui.instruments.selection import View, select_step, select_word
from ui.runtime.model_store import models
from ui.runtime.runs import Subject, derive, keep, known

if TYPE_CHECKING:
    from seq2seq.analysis.model_outline import Outline
    from seq2seq.analysis.run_internals import RunInternals
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep

QUICK = 0.3  # seconds that the numbers in the formulas may take before the picture is there
# The instruments that take a part of a step further.
OPENS = {
    "context": "attention",
    "output": "probabilities",
    "beam": "beams",
    "decoder": "step_internals",
}
TAB = "tab"
_FIRST = "first_live_picture"


def show(view: View) -> None:
    """Show the live picture of the output that is looked at, at the selected step."""

    def open_in(name: str, step: int) -> None:
        select_step(step)
        st.session_state[TAB] = name

    picture_of(
        view.subject,
        view.shown,
        "live_picture",
        Ties(view.step, view.word, instrument_names(), select_step, select_word, open_in),
        search=view.run,
    )
    sinks_note(view.shown)


def instrument_names() -> dict[str, str]:
    """Return the names of the tabs that show a step in more detail, by the parts they are about."""
    from ui.instruments import TABS

    by_module = {tab.__module__.rpartition(".")[2]: name for name, tab in TABS.items()}
    return {part: by_module[module] for part, module in OPENS.items()}


def picture_of(
    subject: Subject,
    trace: Trace,
    key: str,
    ties: Ties,
    files: DeltaGenerator | None = None,
    search: Trace | None = None,
    explains: bool = False,
) -> None:
    """Show the live picture of a run. ties, explains: as `live_picture` takes them.

    files: the place of what saves it, None for below it. search: the run whose search found the
    output, None for this one. It plays by itself where it is the first of a visit and nobody has
    chosen a step.
    """
    what = ("internals", trace.target.ids)
    found = known(subject, what)
    quick = trace.seconds["encode"] + trace.seconds["record"] < QUICK
    if found is None and quick and not subject.missing:
        found = _internals(subject, trace, what)
    run = hashlib.sha256(repr((subject.key, trace.target.ids)).encode()).hexdigest()[:16]
    first = st.session_state.setdefault(_FIRST, run) == run
    outline, internals = found or (None, None)
    picture = _describe(subject, trace, search or trace, outline, internals)
    live_picture(key, picture, run, ties, first and not ties.step, explains)
    (files or st).download_button(
        "Save as HTML",
        lambda: live_page(picture, trace.source.text, trace.text),
        "live-picture.html",
        "text/html",
        key=f"{key}_page",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        help="One file that plays without a network.",
    )
    if subject.missing:
        st.caption(f"{plain(subject.missing)} The picture shows what the run holds.")
    # The picture is there; its formulas get their numbers once these are computed.
    late = found is None and not quick and not subject.missing
    if late and _internals(subject, trace, what) is not None:
        st.rerun()


def _internals(
    subject: Subject, trace: Trace, what: tuple[str, tuple[int, ...]]
) -> tuple[Outline, RunInternals] | None:
    def work(checkpoint: Checkpoint, on_step: OnStep) -> tuple[Outline, RunInternals]:
        from seq2seq.analysis.model_outline import outline
        from seq2seq.analysis.run_internals import run_internals

        assert subject.given is not None
        options = subject.options or trace.options
        return outline(checkpoint), run_internals(checkpoint, subject.given, trace, options)

    return derive(subject, what, work)


def _describe(
    subject: Subject,
    trace: Trace,
    search: Trace,
    outline: Outline | None,
    internals: RunInternals | None,
) -> dict[str, Any]:
    from seq2seq.figures.architecture import architecture

    if outline is None and subject.name in models().loaded:
        from seq2seq.analysis.model_outline import outline as outline_of

        outline = outline_of(models().loaded[subject.name])
    what = ("live picture", trace.target.ids, internals is None)
    return keep(subject, what, lambda: architecture(trace, outline, internals, search))
