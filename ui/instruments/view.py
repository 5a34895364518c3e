"""What of a run is looked at: an output, a step of it, a source token. All of it in the URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st

from seq2seq.trace import Trace
from ui.components import hint, reading
from ui.instruments.words import timing
from ui.runs import Subject, branch, follow

MOST_BRANCHES = 4
BEST = "1"
_STEP, _WORD, _OUTPUT, _BRANCH = "step", "word", "output", "branch"
_CHOICES = "step_choices"


class View(NamedTuple):
    """What the instruments show.

    run: with the search that was asked for. shown: the output that is looked at, which is the run's
    best one, another of its outputs, or a branch. branches: what was decoded on from a place that
    the visitor chose, by the tokens it began with. step: of the output shown; word: number of a
    source token, None for none; both from 0.
    """

    subject: Subject
    run: Trace
    shown: Trace
    branches: dict[tuple[int, ...], Trace]
    step: int
    word: int | None


# Shows source and output: of a subject, the output looked at, its step and source token.
Reader = Callable[[Subject, Trace, int, int | None], Any]


def read_tokens(subject: Subject, shown: Trace, step: int, word: int | None) -> None:
    """Show source and output as rows of tokens."""
    weights = None
    if shown.attention is not None and not shown.position_seconds:
        weights = shown.attention.mean(axis=(1, 2), dtype="float32")
    reading(shown, "reading", step, word, select_step, select_word, weights)
    hint(
        "tokens",
        "Click a token of the output to look at that step; hover over any token to see what it "
        "looked at, or who looked at it.",
    )


def selected_view(subject: Subject, run: Trace, read: Reader = read_tokens) -> View:
    """Show both texts and what chooses an output, a step, a source token; returns the choice."""
    place = st.container()
    branches = _branches(subject, run)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = _shown_output(subject, run, branches)
        step = _step_slider(shown)
    word = _selected_word(shown)
    with place:
        read(subject, shown, step, word)
        timing(shown)
    return View(subject, run, shown, branches, step, word)


def select_step(step: int) -> None:
    """Choose a step of the output shown, from 0."""
    st.session_state[_STEP] = step + 1
    _count_choice()


def _count_choice() -> None:
    st.session_state[_CHOICES] = step_choices() + 1


def step_choices() -> int:
    """Return how often the visitor has chosen a step, the same one again included."""
    return st.session_state.get(_CHOICES, 0)


def select_word(word: int) -> None:
    """Choose a source token, from 0; the one that is chosen already is left."""
    number = str(word + 1)
    if st.query_params.get(_WORD) == number:
        del st.query_params[_WORD]
    else:
        st.query_params[_WORD] = number


def select_output(name: str) -> None:
    """Choose the output shown: its number from "1", or the letter of a branch."""
    st.session_state[_OUTPUT] = name


def output_name() -> str:
    """Return the name of the output shown."""
    return st.session_state.get(_OUTPUT, BEST)


def add_branch(tokens: tuple[int, ...]) -> None:
    """Decode on from an output that begins with these tokens, and show that; the oldest goes."""
    kept = [each for each in _asked_branches() if each != tokens][1 - MOST_BRANCHES :]
    st.query_params[_BRANCH] = [".".join(map(str, each)) for each in [*kept, tokens]]
    select_output(_letter(len(kept)))


def remove_branches() -> None:
    """Forget all branches."""
    st.query_params.pop(_BRANCH, None)
    select_output(BEST)


def _letter(number: int) -> str:
    return "ABCD"[number]


def _asked_branches() -> list[tuple[int, ...]]:
    found = []
    for text in st.query_params.get_all(_BRANCH)[:MOST_BRANCHES]:
        parts = text.split(".")
        if all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
            found.append(tuple(map(int, parts)))
    return list(dict.fromkeys(found))


def _branches(subject: Subject, run: Trace) -> dict[tuple[int, ...], Trace]:
    traces = {tokens: branch(subject, tokens) for tokens in _asked_branches()}
    return {tokens: trace for tokens, trace in traces.items() if trace is not None}


def _shown_output(subject: Subject, run: Trace, branches: dict[tuple[int, ...], Trace]) -> Trace:
    """Let the visitor choose an output; returns how the model said it."""
    names = [str(number + 1) for number in range(len(run.outputs))]
    names += [_letter(number) for number in range(len(branches))]
    if len(names) == 1:
        return run
    if st.session_state.get(_OUTPUT, BEST) not in names:
        st.session_state[_OUTPUT] = BEST
    chosen = st.selectbox(
        "Output",
        names,
        key=_OUTPUT,
        bind="query-params",
        width=110,
        help="1 is the best that the search has found; letters are branches of yours.",
    )
    if not chosen.isdigit():
        return list(branches.values())[names.index(chosen) - len(run.outputs)]
    if chosen == BEST:
        return run
    tree = run.beam_tree
    path = tree.path(run.outputs[int(chosen) - 1].node)
    return follow(subject, tuple(tree.token[path].tolist())) or run


def _step_slider(shown: Trace) -> int:
    """Let the visitor choose a step by mouse or keyboard; returns it, from 0."""
    count = len(shown.target)
    if count == 1:
        return 0
    if _STEP in st.session_state:  # a new run may be shorter than the one before
        st.session_state[_STEP] = min(max(1, st.session_state[_STEP]), count)
    step = st.slider(
        "Output step",
        1,
        count,
        key=_STEP,
        on_change=_count_choice,
        bind="query-params",
        help="A click on a token, a row of the matrix or a bar chooses it too.",
    )
    return step - 1


def _selected_word(shown: Trace) -> int | None:
    asked = st.query_params.get(_WORD, "")
    if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:6]) <= len(shown.source)):
        return None
    return int(asked) - 1
