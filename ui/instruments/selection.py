"""What of a run is looked at: an output, a step of it, a source token. All of it in the URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st

from seq2seq.analysis.reranking import complete
from seq2seq.decoding.options import MAX_LENGTH
from seq2seq.trace import Trace
from ui.code_export import Named
from ui.components import hint, outputs_list, token_view
from ui.components.token_view import SourceRow
from ui.escape import plain
from ui.instruments.run_summary import timing
from ui.page import page_visit
from ui.runtime.runs import Subject, branch, follow

LETTERS = "ABCD"
MOST_BRANCHES = len(LETTERS)
LONG = 120  # characters of an output that is no heading any more
BEST = "1"
_STEP, _WORD, _OUTPUT, _BRANCH = "step", "word", "output", "branch"
_REFERENCE = "reference"  # of teacher forcing: a translation of that text
_CHOICES = "step_choices"
_ADDED, _OF = "branch_added", "selected_of"


class View(NamedTuple):
    """What the instruments show.

    run: with the search that was asked for. shown: the output that is looked at, which is the run's
    best one, another of its outputs, or a branch; name: "1" and so on, or a branch's letter.
    branches: what was decoded on from a place that the visitor chose, by the tokens it began with.
    step: of the output shown; word: number of a source token, None for none; both from 0.
    """

    subject: Subject
    run: Trace
    name: str
    shown: Trace
    branches: dict[tuple[int, ...], Trace]
    step: int
    word: int | None

    @property
    def named(self) -> dict[str, Trace]:
        """The branches by their letters."""
        return dict(zip(LETTERS, self.branches.values(), strict=False))

    @property
    def named_shown(self) -> Named:
        """The output that is looked at, as the code calls it."""
        return Named("trace", self.shown)

    @property
    def named_run(self) -> Named:
        """The run, as the code calls it."""
        return self._named("run", self.run)

    @property
    def named_branches(self) -> dict[str, Named]:
        """The branches by their letters, as the code calls them."""
        return {
            letter: self._named(f"branch_{letter.lower()}", trace)
            for letter, trace in self.named.items()
        }

    def _named(self, name: str, trace: Trace) -> Named:
        return self.named_shown if trace is self.shown else Named(name, trace)


# Shows source and output: of a subject, the output looked at, its step and source token.
Reader = Callable[[Subject, Trace, int, int | None], Any]


def read_tokens(subject: Subject, shown: Trace, step: int, word: int | None) -> None:
    """Show source and output as rows of tokens."""
    source = None
    if shown.attention is not None and not shown.position_seconds:
        weights = shown.attention.mean(axis=(1, 2), dtype="float32")
        source = SourceRow(weights, word, select_word)
    token_view(shown, "reading", step, select_step, source, heading=False)


def hint_on_tokens(shown: Trace) -> None:
    """Say what the rows of tokens are for."""
    attends = shown.attention is not None and not shown.position_seconds
    hover = "; hover over a token to see its attention."
    hint(
        "tokens",
        f"Click an output token to select that step{hover if attends else '.'}",
    )


def selected_view(subject: Subject, run: Trace, noun: str = "Hypothesis") -> View:
    """Show the output and what chooses another one and a step of it; returns the choice.

    noun: what an output is called. It is a heading where it is the answer, a hypothesis.
    """
    _forget_others(subject)
    branches = _branches(subject)
    with st.container(horizontal=True, vertical_alignment="center", key="output_bar"):
        place = st.container(gap=None)
        name, shown = _shown_output(subject, run, branches, noun)
        step = _step_slider(shown)
    view = View(subject, run, name, shown, branches, step, _selected_word(shown))
    with place:
        head = "" if len(shown.text) > LONG else "#### "
        head = head if noun == "Hypothesis" else "A sampled path: "
        st.markdown(f"{head}{plain(shown.text) or '–'}")
        timing(shown)
    if branches:
        _compare(view)
    return view


def _compare(view: View) -> None:
    """Show the best output and the branches below each other."""
    found = {BEST: view.run.outputs[0]}
    found |= {name: trace.outputs[0] for name, trace in view.named.items()}
    outputs_list("branches", found, view.name, select_output, remove_branch)


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
    _keep_branches([*kept, tokens])
    st.session_state[_ADDED] = tokens
    select_output(LETTERS[len(kept)])


def remove_branch(name: str) -> None:
    """Forget the branch of this letter; those behind it move up."""
    kept, number = _asked_branches(), LETTERS.index(name)
    _keep_branches(kept[:number] + kept[number + 1 :])
    shown = st.session_state.get(_OUTPUT, BEST)
    if shown in LETTERS and shown >= name:
        select_output(BEST if shown == name else LETTERS[LETTERS.index(shown) - 1])


def remove_branches() -> None:
    """Forget all branches."""
    _keep_branches([])
    if st.session_state.get(_OUTPUT, BEST) in LETTERS:
        select_output(BEST)


def _keep_branches(branches: list[tuple[int, ...]]) -> None:
    if branches:
        st.query_params[_BRANCH] = [".".join(map(str, each)) for each in branches]
    else:
        st.query_params.pop(_BRANCH, None)


def _asked_branches() -> list[tuple[int, ...]]:
    found = []
    for text in st.query_params.get_all(_BRANCH)[:MOST_BRANCHES]:
        parts = text.split(".")
        if len(parts) <= MAX_LENGTH and all(map(_is_number, parts)):
            found.append(tuple(map(int, parts)))
    return list(dict.fromkeys(found))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _forget_others(subject: Subject) -> None:
    """Forget what was selected in another text, and of another model its outputs.

    What a link says when a page is opened belongs to the text of that link.
    """
    state = st.session_state
    now = subject.name, subject.given if isinstance(subject.given, str) else subject.key
    visit, model, text = state.get(_OF, (0, *now))
    state[_OF] = (page_visit(), *now)
    if visit != page_visit():
        state[_STEP] = _number(st.query_params.get(_STEP, "")) or 1
        select_output(st.query_params.get(_OUTPUT, BEST))
        return
    if (model, text) != now:
        remove_branches()
        select_output(BEST)
    if text != now[1]:
        state[_STEP] = 1
        st.query_params.pop(_WORD, None)
        if state.get(_REFERENCE):
            state[_REFERENCE] = ""


def _branches(subject: Subject) -> dict[tuple[int, ...], Trace]:
    """Return the branches in the address; what is none of this run leaves it without a word."""
    if subject.missing:
        return {}
    asked, added = _asked_branches(), st.session_state.pop(_ADDED, None)
    found = {tokens: branch(subject, tokens) for tokens in asked}
    # What was clicked a moment ago is no nonsense of a link, so it gets its answer.
    if isinstance(why := found.get(added), str):
        st.info(plain(why), icon=":material/info:")
    traces = {tokens: trace for tokens, trace in found.items() if isinstance(trace, Trace)}
    if len(traces) < len(asked):
        _keep_branches(list(traces))
    return traces


def _shown_output(
    subject: Subject, run: Trace, branches: dict[tuple[int, ...], Trace], noun: str
) -> tuple[str, Trace]:
    """Let the visitor choose an output; returns its name, and how the model said it."""
    found = complete(run)
    names = [str(number + 1) for number in range(len(found))]
    letters = dict(zip(LETTERS, branches.values(), strict=False))
    names += letters
    if st.session_state.get(_OUTPUT, BEST) not in names:
        select_output(BEST)
    # Not bound to the address, in which a choice would stand as it is shown.
    if st.session_state.get(_OUTPUT, BEST) == BEST:
        st.query_params.pop(_OUTPUT, None)
    if len(names) == 1:
        return BEST, run
    chosen = st.selectbox(
        noun,
        names,
        format_func=lambda name: f"{'Branch' if name in LETTERS else noun} {name}",
        key=_OUTPUT,
        width=150,
        label_visibility="collapsed",
    )
    if chosen != BEST:
        st.query_params[_OUTPUT] = chosen
    if chosen in letters:
        return chosen, letters[chosen]
    if chosen == BEST:
        return BEST, run
    trace = follow(subject, found[int(chosen) - 1].tokens)
    return (BEST, run) if trace is None else (chosen, trace)


def _step_slider(shown: Trace) -> int:
    """Let the visitor choose a step by mouse or keyboard; returns it, from 0."""
    count = len(shown.target)
    if count == 1:
        return 0
    # A new run may be shorter than the one before. Not bound to the address: a slider of another
    # length is another one to Streamlit, which then takes the step of the text before from there.
    st.session_state[_STEP] = min(max(1, st.session_state.get(_STEP, 1)), count)
    step = st.slider(
        "Decoding step",
        1,
        count,
        key=_STEP,
        format="step %d",
        on_change=_count_choice,
        width=220,
        label_visibility="collapsed",
    )
    if step > 1:
        st.query_params[_STEP] = str(step)
    else:
        st.query_params.pop(_STEP, None)
    return step - 1


def _number(text: str) -> int | None:
    return int(text) if _is_number(text) else None


def _selected_word(shown: Trace) -> int | None:
    asked = _number(st.query_params.get(_WORD, ""))
    return None if asked is None or not 1 <= asked <= len(shown.source) else asked - 1
