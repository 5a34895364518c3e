"""How it works: the live picture of a run, its formulas with its numbers, its flow with shapes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from seq2seq.lessons.foundations import FIRST_MODEL, FIRST_SENTENCE
from seq2seq.lessons.lesson import Lesson
from seq2seq.trace import Trace, label
from ui.components import Ties, live_picture
from ui.escape import plain
from ui.learn.inputs import model_of, sentence_and_model, sentence_of
from ui.runtime.runs import Subject, derive, run

if TYPE_CHECKING:
    from seq2seq.analysis.model_outline import Outline
    from seq2seq.analysis.run_internals import RunInternals
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep

MODELS = (FIRST_MODEL, "lstm-attention-en-fr", "bilstm-attention-en-fr", "transformer-en-fr")
_STEP = "how_it_works_step"
_SUBSCRIPT = re.compile(r"([^\W\d_])_(\{[^{}]*\}|\w)")
LATEX = {"ŷ": "\\hat y", "α": "\\alpha"}


def show_picture(lesson: Lesson) -> None:
    """Ask for a sentence and a model, and show the model at work on it."""
    text, model = sentence_and_model(lesson, FIRST_SENTENCE, MODELS)
    if not text:
        return
    subject = Subject(model, text)
    trace = run(subject)
    if trace is None:
        return
    st.markdown(f"**Output** &nbsp; {plain(trace.text)}")
    found = _known(subject, trace)
    if found is None:
        return
    from seq2seq.figures.architecture import architecture

    name = f"{model} {text}"
    picture = architecture(trace, *found)
    live_picture("lesson_picture", picture, name, Ties(_step(trace), on_step=_choose), True)


def show_formulas(lesson: Lesson) -> None:
    """Show the formulas of a step with the numbers of the run in them."""
    from seq2seq.figures.step_formulas import Symbols, step_formulas

    if (found := _run_of(lesson)) is None:
        return
    trace, outline, internals = found
    step, count = _step(trace), len(trace.target)
    if count > 1:
        st.session_state[_STEP] = step + 1
        step = st.slider("Decoding step", 1, count, key=_STEP, format="step %d", width=330) - 1
    token = plain(label(trace.target.pieces[step]))
    st.markdown(f"In step {step + 1}, the decoder writes **{token}**.")
    lines = step_formulas(Symbols(trace, outline, internals), step)
    st.table(
        {
            "formula": [_formula(line["formula"]) for line in lines],
            "with this run's numbers": [_formula(line["numbers"]) for line in lines],
        },
        hide_index=True,
    )


def show_workflow(lesson: Lesson) -> None:
    """Show the stages from input to output, with the shapes of this model and sentence."""
    from seq2seq.lessons.workflow import workflow

    if (found := _run_of(lesson)) is None:
        return
    trace, outline, _ = found
    stages = workflow(outline, len(trace.source))
    st.table(
        {
            "stage": [
                plain(f"{place}. {stage.name}") for place, stage in enumerate(stages, start=1)
            ],
            "formula": [_formula(stage.formula) for stage in stages],
            "what comes out": [stage.shape for stage in stages],
            "meaning": [plain(stage.meaning) for stage in stages],
        },
        hide_index=True,
    )
    st.caption(
        f"{len(trace.source)} tokens were read, the end included; the stages from the decoder on "
        f"were run {len(trace.target)} times. The model has {outline.total:,} weights."
    )


def _run_of(lesson: Lesson) -> tuple[Trace, Outline, RunInternals] | None:
    """Return the run that the picture shows, which is kept; None where there is none."""
    text = sentence_of(lesson, FIRST_SENTENCE)
    if not text:
        return None
    subject = Subject(model_of(lesson, FIRST_MODEL), text)
    trace = run(subject, notes=False)
    found = None if trace is None else _known(subject, trace)
    return None if trace is None or found is None else (trace, *found)


def _known(subject: Subject, trace: Trace) -> tuple[Outline, RunInternals] | None:
    def work(checkpoint: Checkpoint, on_step: OnStep) -> tuple[Outline, RunInternals]:
        from seq2seq.analysis.model_outline import outline
        from seq2seq.analysis.run_internals import run_internals

        assert subject.given is not None
        return outline(checkpoint), run_internals(checkpoint, subject.given, trace)

    return derive(subject, ("internals", trace.target.ids), work)


def _choose(step: int) -> None:
    st.session_state[_STEP] = step + 1


def _step(trace: Trace) -> int:
    """Return the chosen step, from 0; a new run may be shorter than the one before."""
    return min(int(st.session_state.get(_STEP, 1)), len(trace.target)) - 1


def _formula(text: str) -> str:
    """Write a formula of plain text as Markdown: what has a subscript, as KaTeX sets it."""
    found, end = "", 0
    for match in _SUBSCRIPT.finditer(text):
        symbol, below = match[1], match[2].strip("{}").replace("−", "-")
        found += _as_it_is(text[end : match.start()]) + f"${LATEX.get(symbol, symbol)}_{{{below}}}$"
        end = match.end()
    return found + _as_it_is(text[end:])


def _as_it_is(text: str) -> str:
    """Escape a part of a formula; the spaces at its ends stay."""
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return before + plain(text) + after if text.strip() else text
