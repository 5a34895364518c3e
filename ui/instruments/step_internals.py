"""Inside a step: every number between the token that is read and the token that is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from seq2seq.trace import shown
from ui.code_export import Named, define, draw
from ui.components import clicked
from ui.components.chart import chart
from ui.escape import quoted
from ui.instruments import formulas
from ui.instruments.selection import View, select_step, select_word
from ui.links import URL
from ui.page import is_dark
from ui.runtime.runs import derive, keep

if TYPE_CHECKING:
    from seq2seq.analysis.step_internals import Cell, CloseUp, Look
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep

_UNIT = "unit"
MOST_UNITS = 6  # that are offered as those that changed most

CELLS = {
    "lstm": "Four gates, each a number per unit, say what becomes of the memory *c*: **forget** "
    "how much of it stays (0 erases, 1 keeps), **candidate** what could be added (−1 to 1), "
    "**input** how much of that is let in, **output** how much of the memory shows in the state "
    "*h*.",
    "gru": "Two gates, each a number per unit, say what becomes of the state *h*: **reset** how "
    "much of it the **candidate**, the new content (−1 to 1), may see, and **update** how much of "
    "the old state stays (1 keeps it, 0 replaces it by the candidate).",
    "rnn": "This cell has no gates: what it reads and its state before, each times a matrix, are "
    "added to one **sum** per unit, and the new state is made of that alone.",
}
FEEDS = {
    "token": "",
    "context": " Beside it, it reads the context vector.",
    "readout": " Beside it, it reads what the step before made its logits of.",
}


def show(view: View) -> None:
    """Show the selected step as a chain, from what it reads to what it says."""
    layer, head = _layer_and_head(view)
    found = _close_up(view, layer, head)
    if found is None:
        return
    sections = _transformer(view, found, layer, head) if found.own else _recurrent(view, found)
    for number, (title, section) in enumerate(sections, start=1):
        with st.container(border=True):
            st.subheader(f"{number}. {title}", anchor=False)
            section()


def _close_up(view: View, layer: int, head: int) -> CloseUp | None:
    subject, tokens, step = view.subject, view.shown.target.ids, view.step

    def work(checkpoint: Checkpoint, on_step: OnStep) -> CloseUp:
        from seq2seq.analysis.step_internals import close_up, encode

        given, options = subject.given, subject.options
        assert given is not None
        encoded = keep(subject, "encoded", lambda: encode(checkpoint, given, options))
        return close_up(checkpoint, encoded, tokens, step, layer=layer, head=head)

    found = derive(subject, ("close-up", tokens, step, layer, head), work)
    if found is not None:
        from seq2seq.analysis.step_internals import close_up

        output, options = Named("trace.target.ids"), Named("trace.options")
        place = (layer, head) if found.kind == "transformer" else ()
        args = (Named("checkpoint"), Named("source"), output, step, options, *place)
        define("found", found, close_up, *args)
    return found


Sections = list[tuple[str, Callable[[], None]]]


def _recurrent(view: View, found: CloseUp) -> Sections:
    look = ("It looks at the source", lambda: _source(view, found))
    if found.look is None:
        look = ("It knows the source by one vector", lambda: _one_vector(found))
    title = "It adds up" if found.kind == "rnn" else "What becomes of the old state"
    cell = (title, lambda: _cell(found))
    # What feeds the cell has been looked for before.
    middle = [look, cell] if found.feeds == "context" else [cell, look]
    return [
        ("It reads the token before", lambda: _reads(view, found)),
        *middle,
        ("It chooses a token", lambda: _says(view, found)),
    ]


def _transformer(view: View, found: CloseUp, layer: int, head: int) -> Sections:
    where = f"layer {layer + 1}, head {head + 1}"
    return [
        ("It reads the token before", lambda: _reads(view, found)),
        (f"It looks back at what it has read ({where})", lambda: _back(found)),
        (f"It looks at the source ({where})", lambda: _source(view, found)),
        (f"It works on what it has gathered (layer {layer + 1})", lambda: _works(found, layer)),
        ("It chooses a token", lambda: _says(view, found)),
    ]


def _layer_and_head(view: View) -> tuple[int, int]:
    """Let the visitor choose a layer and a head of a Transformer; returns them from 0."""
    if view.shown.attention is None:
        return 0, 0
    layers, heads = view.shown.attention.shape[1:3]
    with st.container(horizontal=True):
        layer = _number("Layer", layers, layers - 1, "inside_layer") if layers > 1 else 0
        head = _number("Head", heads, 0, "inside_head")
    return layer, head


def _number(name: str, count: int, default: int, key: str) -> int:
    if count == 1:
        return 0
    names = [str(number + 1) for number in range(count)]
    if st.session_state.get(key) not in (None, *names):  # of a deeper model
        del st.session_state[key]
    return int(st.selectbox(name, names, index=default, key=key, width=110, **URL)) - 1


def _reads(view: View, found: CloseUp) -> None:
    if view.step:
        written = "".join(view.shown.target.pieces[: view.step]).replace("▁", " ")
        said = f"The output is {quoted(written)} so far; its last token, {quoted(_last(found))},"
    else:
        said = f"There is no output yet: the token that starts it, {quoted(_last(found))},"
    size = float(np.linalg.norm(found.embedding))
    placed = " with its position" if found.kind == "transformer" else ""
    st.markdown(
        f"{said} becomes a learned vector{placed}: {len(found.embedding)} numbers, of length "
        f"{size:.2f}.{FEEDS.get(found.feeds, '')}"
    )
    _strips("embedding", [("vector", found.embedding)], "The vector of the token that is read.")


def _last(found: CloseUp) -> str:
    return shown(found.read[-1])


def _cell(found: CloseUp) -> None:
    from seq2seq.figures.step import cell_rows

    cell = found.cells[_number("Layer", len(found.cells), len(found.cells) - 1, "inside_layer")]
    st.markdown(CELLS[found.kind])
    unit = _unit(cell)
    means = ", ".join(f"{name} {gate.mean():.2f}" for name, gate in cell.gates.items())
    rows, scales = cell_rows(cell)
    described = f"Gates and states of all units; means of the gates: {means}."
    _strips("gates", rows, described, unit, scales, clickable=True)
    st.caption(
        "A column is a unit; a click chooses it. Green is above zero, purple below. "
        f"Means of all units: {means}."
    )
    changed = np.abs(cell.after[0] - cell.before[0])
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    left.markdown(
        f"Unit {unit + 1} goes from {cell.before[0][unit]:.2f} to {cell.after[0][unit]:.2f}; "
        f"a unit changes by {changed.mean():.2f} in the mean."
    )
    right.markdown(_formula(formulas.new_state(found.kind, cell, unit)))


def _unit(cell: Cell) -> int:
    """Let the visitor choose a unit; returns it, from 0: the one that changed most if none is."""
    changed = np.argsort(-np.abs(cell.after[0] - cell.before[0]))[:MOST_UNITS]
    if (st.session_state.get(_UNIT) or 1) > len(cell.after[0]):  # of a wider model
        st.session_state[_UNIT] = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "Unit",
            1,
            len(cell.after[0]),
            value=None,
            key=_UNIT,
            width=130,
            placeholder=str(changed[0] + 1),
            help="One of the numbers that the state is made of; empty for the one that changed "
            "most.",
            **URL,
        )
        st.pills(
            "Changed most",
            [str(number + 1) for number in changed],
            key="most_changed",
            on_change=_select_changed,
        )
    return _unit_of(cell)


def _select_changed() -> None:
    if chosen := st.session_state.most_changed:
        st.session_state[_UNIT] = int(chosen)
    st.session_state.most_changed = None


def _unit_of(cell: Cell) -> int:
    chosen = st.session_state.get(_UNIT)
    return int(np.abs(cell.after[0] - cell.before[0]).argmax()) if chosen is None else chosen - 1


def _one_vector(found: CloseUp) -> None:
    fed = found.feeds == "context"
    st.markdown(
        "This model has no attention: the state in which its encoder has ended is all that it "
        "knows of the source. "
        + ("Every step reads it anew." if fed else "It is where the decoder's state began.")
    )
    _strips("context", [("context", found.context)], "The context vector.")


def _source(view: View, found: CloseUp) -> None:
    look = found.look
    assert look is not None
    recording = view.shown.position_seconds
    marked = _position(view, look)
    st.markdown(
        f"A score for each of the {len(found.source)} {_places(recording)} says how well it fits "
        "what the step looks for; the softmax makes weights of them, whose sum is 1."
        + (
            f" {look.unseen:.0%} of it is on the silence that follows."
            if look.unseen > 0.01
            else ""
        )
    )
    what = f"at {found.source[marked]} s" if recording else quoted(shown(found.source[marked]))
    what = f"For source {'position' if recording else 'token'} {marked + 1}, {what}:"
    with _beside(formulas.weight(found.attention, look, marked), what):
        _scores("source_scores", look, found.source, marked, recording, on_click=True)
    _context(look, found.kind == "transformer")


def _position(view: View, look: Look) -> int:
    chosen = view.word
    return int(look.weights.argmax()) if chosen is None or chosen >= len(look.weights) else chosen


def _places(recording: float) -> str:
    return "source positions" if recording else "source tokens"


def _back(found: CloseUp) -> None:
    look = found.own
    assert look is not None
    st.markdown(
        "A score for each token that the decoder has read so far, the newest one included, and the "
        "softmax over them: that is how it knows what it has said."
        + (" Its scores have a learned part for the distance." if look.bias is not None else "")
    )
    marked = int(look.weights.argmax())
    what = f"For token {marked + 1}, {quoted(shown(found.read[marked]))}:"
    with _beside(formulas.weight(found.attention, look, marked), what):
        _scores("own_scores", look, found.read, marked)


def _scores(
    key: str,
    look: Look,
    pieces: tuple[str, ...],
    marked: int,
    seconds: float = 0.0,
    on_click: bool = False,
) -> None:
    from seq2seq.figures.step import scores, scores_csv

    def select() -> None:
        if place := clicked(key):
            select_word(place[0])

    chart(
        key,
        scores.plain(look, pieces, marked, seconds, is_dark()),
        f"Scores and weights of {len(pieces)} positions; the largest weight, "
        f"{look.weights.max():.2f}, is on number {look.weights.argmax() + 1}.",
        lambda: scores_csv(look, pieces),
        select if on_click else None,
    )


def _context(look: Look, by_head: bool) -> None:
    unit = int(np.abs(look.context).argmax())
    of_head = ", of this head; what all heads bring is added to the state" if by_head else ""
    st.markdown(f"The weighted sum is the context vector{of_head}.")
    formula = formulas.context(look, unit, by_head)
    with _beside(formula, f"Its strongest unit, {unit + 1}:"):
        _strips("context", [("context", look.context)], "The context vector.")


def _works(found: CloseUp, layer: int) -> None:
    from seq2seq.figures.step import block_rows, sizes, sizes_csv

    assert found.inner is not None
    active = int((found.inner > 0).sum())
    best = ", ".join(
        f"{number + 1} ({found.inner[number]:.2f})" for number in np.argsort(-found.inner)[:3]
    )
    st.markdown(
        "Each block adds to the state. The last of a layer reads one position alone: of its "
        f"{len(found.inner)} inner units {active} are above zero here, the strongest {best}."
    )
    _strips("blocks", block_rows(found), "The state after each block of the layer.")
    st.markdown("How long the state is after each block of all layers:")
    chart(
        "sizes",
        draw(sizes, Named("found", found), layer, is_dark()),
        "Length of the state after each block.",
        lambda: sizes_csv(found),
    )


def _says(view: View, found: CloseUp) -> None:
    from seq2seq.figures.step import logits, logits_csv

    state = found.kind == "transformer" or found.attention == "none"
    made = "From the new state" if state else "From state and context together"
    piece = quoted(shown(found.pieces[found.chosen]))
    place = "the most probable one" if not found.rank else f"number {found.rank + 1} of them"
    st.markdown(
        f"{made} each of the {found.vocabulary:,} tokens gets a logit; the softmax makes "
        f"probabilities of them. {piece} was written, {place}:"
    )
    if found.copying is not None:
        st.markdown(
            f"This model may also copy: with {found.copying:.0%} it takes a token of the source, "
            "by the weights above. A bar has both."
        )
    with _beside(formulas.probability(found)):
        chart(
            "logits",
            draw(logits, Named("found", found), is_dark()),
            f"Logits and probabilities of the {len(found.ids)} best tokens.",
            lambda: logits_csv(found),
        )
    if view.step + 1 < len(view.shown.target):
        st.button(
            f"Next step: it reads {piece}",
            icon=":material/arrow_forward:",
            on_click=select_step,
            args=(view.step + 1,),
        )
    else:
        st.caption("This was the last step.")


@contextmanager
def _beside(formula: str, said: str = "") -> Iterator[None]:
    """Place what follows to the left of a formula, or above it where there is no room."""
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="center")
    with left:
        yield
    with right:
        st.markdown(f"{said}\n\n{_formula(formula)}".lstrip())


def _formula(lines: str) -> str:
    # As a formula of a line: one on its own would get a scroll bar that no keyboard reaches.
    return f"$\\displaystyle {lines}$"


def _strips(
    key: str,
    rows: Any,
    described: str,
    unit: int | None = None,
    scales: Sequence[float] = (),
    clickable: bool = False,
) -> None:
    from seq2seq.figures.step import strips, strips_csv

    def select() -> None:
        if place := clicked(key):
            st.session_state[_UNIT] = int(place[0]) + 1

    chart(
        key,
        strips.plain(rows, unit, scales, is_dark(), clickable),
        described,
        lambda: strips_csv(rows),
        select if clickable else None,
    )
