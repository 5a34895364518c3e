"""Step internals: every number between the token that a step reads and the one it writes."""

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
from ui.terms import term_help

if TYPE_CHECKING:
    from seq2seq.analysis.gate_history import GateHistory
    from seq2seq.analysis.step_internals import AttentionInternals, CellInternals, StepInternals
    from seq2seq.checkpoint import Checkpoint
    from seq2seq.decoding.search import OnStep

_UNIT = "unit"
ENCODER, DECODER = "Encoder", "Decoder"
MOST_UNITS = 6  # that are offered as those that changed most

CELLS = {
    "lstm": "Each unit has three gates and a candidate. They update the cell state *C*: the "
    "**forget** gate scales what is kept of it (0 erases, 1 keeps), the **candidate** is what "
    "could be added (−1 to 1), the **input** gate scales that, and the **output** gate scales how "
    "much of the cell shows in the state *s*.",
    "gru": "Each unit has two gates and a candidate. They update the state *s*: the **reset** gate "
    "scales how much of it the **candidate**, the new content (−1 to 1), sees, and the **update** "
    "gate how much of the old state is kept (1 keeps it, 0 replaces it by the candidate).",
    "rnn": "This cell has no gates: its input and its previous state, each times a matrix, are "
    "added to one **sum** per unit, and the new state is tanh of that sum.",
}
FEEDS = {
    "token": "",
    "context": " The context vector is read with it.",
    "readout": " The readout of the previous step is read with it (input feeding).",
}


def show(view: View) -> None:
    """Show the selected step as a chain, from the token it reads to the token it writes."""
    layer, head = _layer_and_head(view)
    found = _close_up(view, layer, head)
    if found is None:
        return
    sections = _transformer(view, found, layer, head) if found.own else _recurrent(view, found)
    for number, (title, section) in enumerate(sections, start=1):
        with st.container(border=True):
            st.subheader(f"{number}. {title}", anchor=False)
            section()
    if not found.own:
        with st.container(border=True):
            st.subheader(
                f"{len(sections) + 1}. Gates over the whole text",
                anchor=False,
                help=term_help("gate"),
            )
            _gates_over_time(view)


def _gates_over_time(view: View) -> None:
    """Show a gate of all units at each step, of the encoder or the decoder."""
    from seq2seq.figures.states import states, states_csv

    with st.container(horizontal=True, vertical_alignment="bottom"):
        sides = (ENCODER, DECODER) if not view.shown.position_seconds else (DECODER,)
        side = st.segmented_control(
            "Of the", sides, default=DECODER, required=True, key="gates_of", **URL
        )
        layers = _gate_history(view, side or DECODER)
        if layers is None:
            return
        layer = layers[_number("Layer", len(layers), len(layers) - 1, "gates_layer")]
        names = ("h_t", "C_t") if side == ENCODER else ("s_t", "C_t")
        offered = layer.gates | dict(zip(names, layer.states, strict=False))
        if st.session_state.get("gate") not in (None, *offered):  # of another kind of cell
            del st.session_state["gate"]
        name = st.selectbox("Gate or state", list(offered), key="gate", width=160, **URL)
    tokens = view.shown.source if side == ENCODER else view.shown.target
    values, both = offered[name], side == ENCODER and layers[0].both_ways
    st.markdown(
        f"Rows are units, columns {'source tokens' if side == ENCODER else 'decoding steps'}; the "
        "mean over all units and columns is "
        f"{values.mean():.2f}." + (" The upper half reads forward, the lower backward." * both)
    )
    chart(
        "gates_over_time",
        states.plain(
            values,
            tokens.pieces,
            "source →" if side == ENCODER else "output →",
            1 + both,
            is_dark(),
            view.word if side == ENCODER else view.step,
        ),
        f"{name} of the units at each of {len(values):,} "
        f"{'tokens' if side == ENCODER else 'steps'}.",
        lambda: states_csv(values, tokens.pieces),
    )


def _gate_history(view: View, side: str) -> tuple[GateHistory, ...] | None:
    subject, tokens = view.subject, view.shown.target.ids

    def work(checkpoint: Checkpoint, on_step: OnStep) -> tuple[GateHistory, ...]:
        from seq2seq.analysis.gate_history import decoder_gates, encoder_gates
        from seq2seq.analysis.step_internals import encode

        given, options = subject.given, subject.options
        assert given is not None
        encoded = keep(subject, "encoded", lambda: encode(checkpoint, given, options))
        if side == ENCODER:
            return encoder_gates(checkpoint, encoded)
        return decoder_gates(checkpoint, encoded, tokens)

    return derive(subject, ("gates", side, tokens), work)


def _close_up(view: View, layer: int, head: int) -> StepInternals | None:
    subject, tokens, step = view.subject, view.shown.target.ids, view.step

    def work(checkpoint: Checkpoint, on_step: OnStep) -> StepInternals:
        from seq2seq.analysis.step_internals import encode, step_internals

        given, options = subject.given, subject.options
        assert given is not None
        encoded = keep(subject, "encoded", lambda: encode(checkpoint, given, options))
        return step_internals(checkpoint, encoded, tokens, step, layer=layer, head=head)

    found = derive(subject, ("close-up", tokens, step, layer, head), work)
    if found is not None:
        from seq2seq.analysis.step_internals import step_internals

        output, options = Named("trace.target.ids"), Named("trace.options")
        place = (layer, head) if found.kind == "transformer" else ()
        args = (Named("checkpoint"), Named("source"), output, step, options, *place)
        define("found", found, step_internals, *args)
    return found


Sections = list[tuple[str, Callable[[], None]]]


def _recurrent(view: View, found: StepInternals) -> Sections:
    look = ("Attention and context vector", lambda: _source(view, found))
    if found.look is None:
        look = ("Context vector", lambda: _one_vector(found))
    title = "State update" if found.kind == "rnn" else "State update (gates)"
    cell = (title, lambda: _cell(found))
    # What feeds the cell has been looked for before.
    middle = [look, cell] if found.feeds == "context" else [cell, look]
    return [
        ("Previous-token embedding", lambda: _embedding(view, found)),
        *middle,
        ("Output layer", lambda: _output_layer(view, found)),
    ]


def _transformer(view: View, found: StepInternals, layer: int, head: int) -> Sections:
    where = f"layer {layer + 1}, head {head + 1}"
    return [
        ("Previous-token embedding", lambda: _embedding(view, found)),
        (f"Masked self-attention ({where})", lambda: _self_attention(found)),
        (f"Cross-attention ({where})", lambda: _source(view, found)),
        (f"Feed-forward (layer {layer + 1})", lambda: _feed_forward(found, layer)),
        ("Output layer", lambda: _output_layer(view, found)),
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


def _embedding(view: View, found: StepInternals) -> None:
    if view.step:
        written = "".join(view.shown.target.pieces[: view.step]).replace("▁", " ")
        said = f"The output is {quoted(written)} so far; its last token, {quoted(_last(found))},"
    else:
        said = f"The output is empty: the start token, {quoted(_last(found))},"
    size = float(np.linalg.norm(found.embedding))
    placed = " with its position" if found.kind == "transformer" else ""
    st.markdown(
        f"{said} is looked up as a learned vector{placed}: {len(found.embedding):,} numbers, norm "
        f"{size:.2f}.{FEEDS.get(found.feeds, '')}"
    )
    _strips("embedding", [("vector", found.embedding)], "The vector of the token that is read.")


def _last(found: StepInternals) -> str:
    return shown(found.read[-1])


def _cell(found: StepInternals) -> None:
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
        f"the mean change of a unit is {changed.mean():.2f}."
    )
    right.markdown(_formula(formulas.new_state(found.kind, cell, unit)))
    if sums := formulas.pre_activations(found.kind, cell, unit):
        with st.expander("Pre-activations"):
            _pre_activations(cell, unit, sums)


def _pre_activations(cell: CellInternals, unit: int, sums: str) -> None:
    """Show what the gates were before sigmoid and tanh."""
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    left.markdown(
        "Each gate is a sigmoid σ, and the candidate a tanh, of its pre-activation: input and "
        f"previous state, each times a matrix, and a bias. Unit {unit + 1}:"
    )
    right.markdown(_formula(sums))
    _strips(
        "sums",
        list(cell.sums.items()),
        "Pre-activations of all units.",
        unit,
        clickable=True,
    )


def _unit(cell: CellInternals) -> int:
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


def _unit_of(cell: CellInternals) -> int:
    chosen = st.session_state.get(_UNIT)
    return int(np.abs(cell.after[0] - cell.before[0]).argmax()) if chosen is None else chosen - 1


def _one_vector(found: StepInternals) -> None:
    fed = found.feeds == "context"
    st.markdown(
        "This model has no attention: the encoder's final state is all that the decoder gets of "
        "the source, and its h_T is the context vector. "
        + ("Every step reads it." if fed else "The decoder's state started from it.")
    )
    _strips("context", [("context", found.context)], "The context vector.")


def _source(view: View, found: StepInternals) -> None:
    look = found.look
    assert look is not None
    recording = view.shown.position_seconds
    marked = _position(view, look)
    st.markdown(
        f"Each of the {len(found.source):,} {_places(recording)} gets a score; the softmax turns "
        "the scores into weights that sum to 1."
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


def _position(view: View, look: AttentionInternals) -> int:
    chosen = view.word
    return int(look.weights.argmax()) if chosen is None or chosen >= len(look.weights) else chosen


def _places(recording: float) -> str:
    return "source positions" if recording else "source tokens"


def _self_attention(found: StepInternals) -> None:
    look = found.own
    assert look is not None
    st.markdown(
        "Each token that the decoder has read so far, the newest included, gets a score; the "
        "softmax turns the scores into weights."
        + (
            " A learned bias for the distance is part of each score."
            if look.bias is not None
            else ""
        )
    )
    marked = int(look.weights.argmax())
    what = f"For token {marked + 1}, {quoted(shown(found.read[marked]))}:"
    with _beside(formulas.weight(found.attention, look, marked), what):
        _scores("own_scores", look, found.read, marked)


def _scores(
    key: str,
    look: AttentionInternals,
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


def _context(look: AttentionInternals, by_head: bool) -> None:
    unit = int(np.abs(look.context).argmax())
    of_head = " of this head; the outputs of all heads are added to the state" if by_head else ""
    st.markdown(f"The weighted sum is the context vector{of_head}.")
    formula = formulas.context(look, unit, by_head)
    with _beside(formula, f"Its strongest unit, {unit + 1}:"):
        _strips("context", [("context", look.context)], "The context vector.")


def _feed_forward(found: StepInternals, layer: int) -> None:
    from seq2seq.figures.step import block_rows, sizes, sizes_csv

    assert found.inner is not None
    active = int((found.inner > 0).sum())
    best = ", ".join(
        f"{number + 1} ({found.inner[number]:.2f})" for number in np.argsort(-found.inner)[:3]
    )
    st.markdown(
        "Each sublayer adds to the residual state. The feed-forward network reads one position: "
        f"of its {len(found.inner):,} inner units {active:,} are above zero here, the strongest "
        f"{best}."
    )
    _strips("blocks", block_rows(found), "The state after each block of the layer.")
    st.markdown("Norm of the state after each sublayer, in all layers:")
    chart(
        "sizes",
        draw(sizes, Named("found", found), layer, is_dark()),
        "Norm of the state after each sublayer.",
        lambda: sizes_csv(found),
    )


def _output_layer(view: View, found: StepInternals) -> None:
    from seq2seq.figures.step import logits, logits_csv

    state = found.kind == "transformer" or found.attention == "none"
    made = "The new state" if state else "State and context together"
    piece = quoted(shown(found.pieces[found.chosen]))
    place = "the most probable one" if not found.rank else f"number {found.rank + 1} of them"
    st.markdown(
        f"{made} give each of the {found.vocabulary:,} tokens a logit; the softmax turns logits "
        f"into probabilities. The output token is {piece}, {place}:"
    )
    if found.copying is not None:
        st.markdown(
            f"This model may also copy: with p_copy = {found.copying:.0%} it takes a token of the "
            "source, by the weights above. A bar includes both."
        )
    with _beside(formulas.probability(found), _formula(formulas.logit(found, _readout(found)))):
        chart(
            "logits",
            draw(logits, Named("found", found), is_dark()),
            f"Logits and probabilities of the {len(found.ids)} best tokens.",
            lambda: logits_csv(found),
        )
    if view.step + 1 < len(view.shown.target):
        st.button(
            f"Next step, which reads {piece}",
            icon=":material/arrow_forward:",
            on_click=select_step,
            args=(view.step + 1,),
        )
    else:
        st.caption("This was the last step.")


def _readout(found: StepInternals) -> str:
    """Return the symbol of what the output layer reads: the state, or state and context."""
    return "s_t" if found.kind == "transformer" or found.attention == "none" else "r_t"


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
