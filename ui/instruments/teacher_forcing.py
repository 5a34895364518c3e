"""Teacher forcing on a reference, beside the model's free-running output."""

from __future__ import annotations

import math

import streamlit as st

from seq2seq.analysis.reference_comparison import Comparison, compare, first_choice
from seq2seq.trace import Trace, shown
from ui.code_export import Named, define, draw
from ui.components import clicked
from ui.components.chart import chart
from ui.components.token_rows import Chip, Row, token_rows
from ui.escape import plain
from ui.inputs.text_input import MAX_TYPED
from ui.instruments.attention import sinks_note
from ui.instruments.run_summary import alternatives_in_words
from ui.instruments.selection import View, select_step
from ui.links import URL
from ui.page import is_dark
from ui.runtime.runs import follow
from ui.terms import term_help, term_link

_TEXT, _STEP = "reference", "reference_step"
OWN = "own"
LEGEND = (
    (0, "the most probable"),
    (1, "among the top five"),
    (99, "lower"),
)


def show(view: View) -> None:
    """Ask for a reference, and show teacher forcing on it beside the free-running output."""
    if view.subject.missing:
        st.info(plain(view.subject.missing), icon=":material/info:")
        return
    text = st.text_input(
        "Reference",
        key=_TEXT,
        max_chars=MAX_TYPED,
        placeholder="A correct output",
        help=term_help("teacher forcing", "free running"),
        **URL,
    )
    _offers(view)
    if not (text or "").strip():
        st.info(
            "Type a correct output to see, at each of its tokens, how probable the model finds it.",
            icon=":material/school:",
        )
        return
    reference = follow(view.subject, text.strip())
    if reference is not None:
        from seq2seq import force

        more = {} if reference.decoder_attention is None else {"self_attention": None}
        args = (Named("checkpoint"), Named("source"), text.strip(), Named("trace.options"))
        define("reference", reference, force, *args, **more)
        _compare(view, reference)


def _offers(view: View) -> None:
    """Offer outputs of the run as a reference."""
    texts = dict.fromkeys([view.shown.text, *(output.text for output in view.run.outputs)])
    texts.pop("", None)
    with st.container(horizontal=True):
        for number, text in enumerate(list(texts)[:2]):
            st.button(
                "Use the selected hypothesis" if not number else "Use another hypothesis",
                key=f"take_{number}",
                help=plain(text[:200]),
                on_click=_take,
                args=(text,),
            )


def _take(text: str) -> None:
    st.session_state[_TEXT] = text


def _compare(view: View, reference: Trace) -> None:
    own, found = view.shown, compare(view.shown, reference)
    step = _reference_step(reference)
    st.markdown(_summary(reference, found))
    rows = [
        _row("reference", "Teacher forcing: the reference", reference, found, step),
        _row(OWN, "Free running: its own output", own, found, view.step),
    ]
    token_rows("forced", [*rows, _legend()], _choose)
    st.caption(
        "Below a token: its rank among all tokens, and the most probable token of that step. A "
        "click selects a step."
    )
    _chart(own, reference, (view.step, step))
    _numbers(view, found)
    left, right = st.columns(2, gap="large")
    with left:
        _side("reference", "Teacher forcing", Named("reference", reference), step)
    with right:
        _side(OWN, "Free running", Named("trace", own), view.step)


def _reference_step(reference: Trace) -> int:
    count = len(reference.target)
    if count == 1:
        return 0
    if _STEP in st.session_state:  # a new reference may be shorter
        st.session_state[_STEP] = min(max(1, st.session_state[_STEP]), count)
    return st.slider("Step of the reference", 1, count, key=_STEP, **URL) - 1


def _choose(event: str, step: int) -> None:
    if event == OWN:
        select_step(step)
    elif event == "reference":
        st.session_state[_STEP] = step + 1


def _row(event: str, label: str, trace: Trace, found: Comparison, selected: int) -> Row:
    from seq2seq.figures.teacher_forcing import rank_colour
    from seq2seq.figures.theme import readable_on

    chips, numbers = [], trace.target.words
    for step, piece in enumerate(trace.target.pieces):
        rank, colour = int(trace.ranks[step]), rank_colour(int(trace.ranks[step]))
        instead = shown(first_choice(trace, step))
        chips.append(
            Chip(
                text=shown(piece),
                note="1" if not rank else f"{rank + 1}\n{instead}",
                title=f"step {step + 1}, probability {trace.probabilities[step]:.1%}, "
                f"number {rank + 1} of all tokens; most probable: {instead}",
                colour=colour,
                ink=readable_on(colour),
                mark="differs" if step == found.differ else "",
                starts=step == 0 or numbers[step] != numbers[step - 1],
            )
        )
    return Row(event, label, chips, selected)


def _legend() -> Row:
    from seq2seq.figures.teacher_forcing import rank_colour
    from seq2seq.figures.theme import readable_on

    colours = [rank_colour(rank) for rank, _ in LEGEND]
    chips = [
        Chip(text, colour=colour, ink=readable_on(colour))
        for (_, text), colour in zip(LEGEND, colours, strict=True)
    ]
    return Row("", "Colours: rank of a token", chips)


def _summary(reference: Trace, found: Comparison) -> str:
    """Say how much of the reference the model would have said, and what that has to do with it."""
    own = reference.ranks == 0
    said = (
        f"Of the {len(own)} tokens of the reference, **{own.sum()}** are the model's own first "
        "choice after the correct tokens before them. "
    )
    if found.differ is None:
        return f"{said}The free-running output has the same tokens."
    after = own[found.differ :]
    return (
        f"{said}Both rows differ from step **{found.differ + 1}** on. From there, with teacher "
        f"forcing, {after.sum()} of {len(after)} first choices are right; running freely, the "
        "decoder reads its own tokens, which it never did in training, so one error can lead to "
        f"the next: {term_link('exposure bias')}."
    )


def _chart(own: Trace, reference: Trace, selected: tuple[int, int]) -> None:
    from seq2seq.figures.teacher_forcing import side_by_side, side_by_side_csv

    def select() -> None:
        if place := clicked("side_by_side"):
            _choose("reference" if place[0] else OWN, place[1])

    st.subheader("Token probabilities", anchor=False)
    chart(
        "side_by_side",
        draw(side_by_side, Named("trace", own), Named("reference", reference), selected, is_dark()),
        f"Probability of the {len(reference.target):,} tokens of the reference, and of the "
        f"{len(own.target):,} of its own output.",
        lambda: side_by_side_csv(own, reference),
        select,
    )


def _numbers(view: View, found: Comparison) -> None:
    st.subheader("Model score", anchor=False)
    st.markdown(_preference(view, found))
    with st.container(horizontal=True):
        st.metric("BLEU", f"{found.bleu:.1f}", help="Of its own output against the reference.")
        st.metric("chrF", f"{found.chrf:.1f}", help="The same, by characters.")
        if found.rouge_l is not None:
            st.metric("ROUGE-L", f"{found.rouge_l:.1f}", help="The same, by common words in order.")
        for number, name in enumerate(("own", "reference")):
            value, score = found.log_probabilities[number], found.scores[number]
            st.metric(f"log P, {name}", f"{value:.2f}", help=f"Score {score:.3f}.")


def _preference(view: View, found: Comparison) -> str:
    """Say which of both the model finds more probable, and whether the search has erred."""
    (own, reference), (own_score, score) = found.log_probabilities, found.scores
    if found.differ is None:
        return "Both are the same to the model."
    times = math.exp(min(abs(reference - own), 50))
    much = f"{times:,.1f} times" if times < 1e6 else "more than a million times"
    kind, options = "more" if reference > own else "less", view.run.options
    said = f"The model finds the reference **{kind} probable** than its own output, {much}."
    if options.method == "sample":
        return f"{said} The output was sampled."
    if view.shown is not view.run or options.coverage_penalty:
        return said
    compared = f"{score:.3f} against {own_score:.3f}"
    if score > own_score:
        return (
            f"{said} Its score, log P divided by a power of the length, is better: {compared}. So "
            "the search missed it, or a constraint excludes it: a **search error**, which a wider "
            "beam may avoid."
        )
    return (
        f"{said} Its score, log P divided by a power of the length, is worse: {compared}. So this "
        "is not a search error: the model itself prefers its own output."
    )


def _side(key: str, title: str, named: Named, step: int) -> None:
    from seq2seq import figures

    trace: Trace = named.value

    st.subheader(title, anchor=False)

    def select() -> None:
        if place := clicked(f"attention_{key}"):
            _choose(key, place[0])

    if trace.attention is not None:
        chart(
            f"attention_{key}",
            draw(figures.attention, named, selected=step, dark=is_dark()),
            f"Attention weights of {len(trace.target):,} tokens: {title.lower()}.",
            lambda: figures.attention_csv(trace),
            select,
        )
        sinks_note(trace)
    elif key == OWN:
        st.caption("This model has no attention: there are no weights to compare.")
    chart(
        f"alternatives_{key}",
        draw(figures.alternatives, named, step=step, dark=is_dark()),
        alternatives_in_words(trace, step),
        lambda: figures.alternatives_csv(trace),
    )
