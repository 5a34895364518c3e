"""Beam search by hand: the visitor keeps hypotheses, and then sees what a beam did."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from seq2seq.decoding.options import Options
from seq2seq.lessons.foundations import BEAM_MODEL, BEAM_SENTENCE, BEAM_WIDTH
from seq2seq.lessons.lesson import Lesson
from seq2seq.trace import Trace
from ui.components.chart import chart
from ui.escape import plain
from ui.learn.inputs import model_of, sentence_and_model, sentence_of
from ui.page import is_dark
from ui.runtime.runs import Subject, derive, run

if TYPE_CHECKING:
    from seq2seq.analysis.beam_by_hand import Candidate
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep

MODELS = (BEAM_MODEL, "lstm-vanilla-en-fr", "transformer-en-fr")
EACH = 3  # continuations of a hypothesis that are offered
MAX_STEPS = 24
WIDTHS = (1, BEAM_WIDTH, 10)
_STATE = "beam_by_hand"


class Taken(NamedTuple):
    """A step that was taken: what was offered, and the places of those kept."""

    offered: tuple[Candidate, ...]
    kept: tuple[int, ...]


def show_search(lesson: Lesson) -> None:
    """Let the visitor be the search, step by step."""
    text, model = sentence_and_model(lesson, BEAM_SENTENCE, MODELS)
    if not text:
        return
    trace = run(_subject(model, text, BEAM_WIDTH))
    if trace is None:
        return
    taken = _taken(model, text)
    if taken:
        _show_taken(taken, trace)
    live = _live(taken)
    if live and len(taken) < MAX_STEPS:
        _offer(model, text, taken, live)
    else:
        _show_end(taken, trace)
    if taken:
        st.button("Begin again", icon=":material/restart_alt:", on_click=taken.clear)


def _subject(model: str, text: str, width: int) -> Subject:
    return Subject(model, text, Options(beam_width=width, n_best=width))


def _taken(model: str, text: str) -> list[Taken]:
    """Return the steps taken on this sentence; another sentence begins anew."""
    state = st.session_state.get(_STATE)
    if state is None or state[0] != (model, text):
        state = st.session_state[_STATE] = (model, text), []
    return state[1]


def _live(taken: list[Taken]) -> tuple[tuple[int, ...], ...]:
    if not taken:
        return ((),)
    last = taken[-1]
    return tuple(last.offered[at].tokens for at in last.kept if not last.offered[at].ended)


def _offer(model: str, text: str, taken: list[Taken], live: tuple[tuple[int, ...], ...]) -> None:
    """Offer the continuations of the live hypotheses."""

    def work(checkpoint: Checkpoint, on_step: OnStep) -> tuple[Candidate, ...]:
        from seq2seq.analysis.beam_by_hand import candidates

        return candidates(checkpoint, text, live, EACH)

    offered = derive(_subject(model, text, BEAM_WIDTH), ("by hand", live), work)
    if offered is None:
        return
    st.markdown(f"**Step {len(taken) + 1}.** Keep one or two of these {len(offered)}.")
    chosen = [
        place
        for place, each in enumerate(offered)
        if st.checkbox(_label(each), key=f"keep_{len(taken)}_{place}")
    ]
    fits = 1 <= len(chosen) <= BEAM_WIDTH
    if len(chosen) > BEAM_WIDTH:
        st.caption(f"These are {len(chosen)}: a beam of {BEAM_WIDTH} keeps {BEAM_WIDTH}.")
    st.button(
        "Keep, and see what the beam did",
        type="primary",
        disabled=not fits,
        key="keep",
        on_click=lambda: taken.append(Taken(offered, tuple(chosen))),
    )


def _label(each: Candidate) -> str:
    added = _number(-each.log_probability)  # at most 0, so it is taken away
    return f"{plain(_named(each))} &nbsp; {_number(each.before)} − {added}"


def _named(each: Candidate) -> str:
    return f"{each.text} </s>" if each.ended else each.text


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _show_taken(taken: list[Taken], trace: Trace) -> None:
    """Show what was kept in each step, and what the beam did with the same hypotheses."""
    from seq2seq.analysis.beam_by_hand import beam_statuses

    statuses = beam_statuses(trace)
    for number, step in enumerate(taken, start=1):
        kept = ", ".join(_named(step.offered[at]) for at in step.kept)
        with st.expander(plain(f"Step {number}: you kept {kept}"), expanded=number == len(taken)):
            best_first = sorted(
                range(len(step.offered)), key=lambda at: -step.offered[at].cumulative
            )
            st.dataframe(
                {
                    "hypothesis": [_named(step.offered[at]) for at in best_first],
                    "sum of log P": [_number(step.offered[at].cumulative) for at in best_first],
                    "you": ["kept" if at in step.kept else "pruned" for at in best_first],
                    f"beam of {BEAM_WIDTH}": [
                        statuses.get(step.offered[at].tokens, "not reached") for at in best_first
                    ],
                },
                hide_index=True,
            )
            others = _kept_elsewhere(step, number - 1, trace)
            if others:
                st.caption(f"The beam kept here instead: {plain(', '.join(others))}.")


def _kept_elsewhere(step: Taken, number: int, trace: Trace) -> list[str]:
    """Return what the beam kept in a step that the visitor was not offered."""
    from seq2seq.decoding.hypothesis import PRUNED

    tree, offered = trace.beam_tree, {each.tokens for each in step.offered}
    found = []
    for node in range(len(tree.step)):
        path = tree.path(node)
        tokens = tuple(tree.token[path].tolist())
        if tree.step[node] == number and tree.status[node] != PRUNED and tokens not in offered:
            pieces = "".join(trace.beam_pieces[each] for each in path)
            found.append(pieces.replace("▁", " ").strip())
    return found


def _show_end(taken: list[Taken], trace: Trace) -> None:
    """Compare the visitor's best output with the beam's."""
    ended = [step.offered[at] for step in taken for at in step.kept if step.offered[at].ended]
    best = max(ended, key=lambda each: each.cumulative / len(each.tokens), default=None)
    beam = trace.outputs[0]
    if best is None:
        st.info(f"Nothing has ended within {MAX_STEPS} steps: begin again.")
        return
    said = "the same output" if best.tokens == trace.target.ids else f"“{plain(beam.text)}”"
    st.success(
        f"You found “{plain(best.text)}” with {_number(best.cumulative)} in all. A beam of "
        f"{BEAM_WIDTH} found {said} with {_number(beam.log_probability)}.",
        icon=":material/flag:",
    )


def show_widths(lesson: Lesson) -> None:
    """Show what searches of several widths find, once the visitor asks."""
    text, model = sentence_of(lesson, BEAM_SENTENCE), model_of(lesson, BEAM_MODEL)
    if not text or not st.toggle("Show the outputs (they give the answer away)", key="widths"):
        return
    traces = [run(_subject(model, text, width), notes=False) for width in WIDTHS]
    if any(trace is None for trace in traces):
        return
    found = [trace for trace in traces if trace is not None]
    st.dataframe(
        {
            "beam width": WIDTHS,
            "sum of log P": [_number(float(each.log_probabilities.sum())) for each in found],
            "output": [each.text for each in found],
        },
        hide_index=True,
    )
    from seq2seq import figures
    from seq2seq.figures.beam_tree import join

    beam = found[WIDTHS.index(BEAM_WIDTH)]
    tree = join(beam)
    chart(
        "beam_by_hand",
        figures.beam_tree.plain(tree, dark=is_dark()),
        f"The hypotheses that a beam of {BEAM_WIDTH} ranked; it ends in “{beam.text}”.",
        lambda: figures.beam_tree_csv(tree),
    )
