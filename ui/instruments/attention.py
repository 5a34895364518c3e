"""Attention: as a matrix, ribbons, all heads, or sentence by sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from seq2seq.analysis.attention_matrix import (
    Choice,
    Pick,
    Picks,
    grid,
    has,
    layers_and_heads,
    runs_right_to_left,
    strongest,
)
from seq2seq.analysis.attention_metrics import SINK, sinks
from seq2seq.trace import Trace, shown
from ui.code_export import Named, draw
from ui.components import clicked
from ui.components.chart import chart
from ui.components.plot import Lights
from ui.escape import quoted, quoted_end
from ui.instruments.findings import findings_list
from ui.instruments.probabilities import alternatives_chart
from ui.instruments.selection import BEST, View, output_name, select_step, select_word
from ui.links import URL
from ui.page import is_dark
from ui.runtime.names import reads_series
from ui.terms import term_help, term_link

Controls = Any  # a container
# Which attention: what is chosen stands in the address, so it is what is shown.
WHICH = {
    "Cross-attention": "cross",
    "Encoder self-attention": "encoder",
    "Decoder self-attention": "decoder",
}
SHORT, LONG = "picture", "long_picture"  # keys: what is best for a long text is not for a sentence
LONGER_THAN = 60
MOST_TOP = 10  # tokens that are listed for each output token


def show(view: View) -> None:
    """Show attention beside what else the step considered."""
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    left, right = st.columns([3, 2], gap="large")
    with left:
        if view.shown.attention is None:
            _context(view)
        else:
            with controls:
                picture = _picture(view.shown)
            _hypothesis_caption(view)
            sinks_note(view.shown)
            PICTURES[picture](view, controls)
    with right:
        alternatives_chart(view)


def _picture(trace: Trace) -> str:
    """Let the visitor choose how attention is drawn."""
    names, key = [name for name in PICTURES if name != "Blocks"], SHORT
    series = reads_series(trace.checkpoint)
    if trace.position_seconds or series:
        names.remove("Top words")
    if not _has_several_heads(trace):
        names.remove("All heads")
    if _is_long(trace) and not series:
        names, key = ["Blocks", *names], LONG
    if st.session_state.get(key) not in (None, *names):  # of a run with other heads
        st.session_state[key] = names[0]
    chosen = st.segmented_control(
        "Picture",
        names,
        default=names[0],
        required=True,
        key=key,
        label_visibility="collapsed",
        **URL,
    )
    return chosen or names[0]  # a link may say nothing


def _is_long(trace: Trace) -> bool:
    return not trace.position_seconds and max(len(trace.source), len(trace.target)) > LONGER_THAN


def _has_several_heads(trace: Trace) -> bool:
    shapes = (layers_and_heads(trace, which) for which in WHICH.values() if has(trace, which))
    return any(shape != (1, 1) for shape in shapes)


def _which(trace: Trace) -> str:
    names = [name for name, which in WHICH.items() if has(trace, which)]
    _keep("which", names)
    chosen = names[0]
    if len(names) > 1:
        chosen = st.selectbox(
            "Attention",
            names,
            key="which",
            width=195,
            help=term_help("cross-attention", "self-attention"),
            **URL,
        )
    return WHICH[chosen]


def _picks(trace: Trace, which: str) -> Picks:
    """Let the visitor choose a layer and a head, or what is made of all of them."""
    layers, heads = layers_and_heads(trace, which)
    return Picks(layer=_pick("layer", layers), head=_pick("head", heads))


def _pick(name: str, count: int) -> Pick:
    if count == 1:
        return 0
    options = ["mean", "max", *map(str, range(1, count + 1))]
    _keep(name, options)
    chosen = st.selectbox(name.capitalize(), options, key=name, width=90, **URL)
    return int(chosen) - 1 if chosen.isdigit() else chosen


def _keep(key: str, options: list[str]) -> None:
    """Forget a choice that this run does not have."""
    if st.session_state.get(key, options[0]) not in options:
        st.session_state[key] = options[0]


def _by_word(trace: Trace, which: str) -> bool:
    if reads_series(trace.checkpoint) or (trace.position_seconds and which == "encoder"):
        return False
    return st.toggle("Whole words", key="by_word", **URL)


def _encoder_frame(view: View) -> None:
    """Let the visitor choose a place of a recording by keyboard: it has no tokens to click."""
    if not view.shown.position_seconds:
        return

    def select() -> None:
        chosen = st.session_state["encoder_frame"] - 1
        if chosen >= 0:
            select_word(chosen)
        elif view.word is not None:
            select_word(view.word)

    st.session_state["encoder_frame"] = 0 if view.word is None else view.word + 1
    st.number_input(
        "Encoder frame",
        0,
        len(view.shown.source),
        key="encoder_frame",
        on_change=select,
        width=130,
        help=f"Each lasts {view.shown.position_seconds * 1000:.0f} ms; 0 for none.",
    )


def _scale() -> str:
    from seq2seq.figures.heatmap import SCALES

    return st.selectbox(
        "Colours",
        SCALES,
        key="scale",
        width=140,
        help="From 0 to 1, so that runs can be compared; or so that weak weights can be told "
        "apart: to the largest weight of each row, or by the square root.",
        **URL,
    )


def _matrix(view: View, controls: Controls) -> None:
    trace = view.shown
    with controls:
        which = _which(trace)
        picks = _picks(trace, which)
        _encoder_frame(view)
        with st.popover("Display", icon=":material/palette:"):
            scale, by_word = _scale(), _by_word(trace, which)
            mirrored = _right_to_left(trace, which)
            measured = st.toggle(
                "Show entropy and coverage",
                True,
                key="measured",
                help=term_help("entropy", "attention received"),
                **URL,
            )
    choice: Choice = {"which": which, "by_word": by_word, **picks}
    settings = {"right_to_left": True} if mirrored else {}
    attention_chart(trace, "attention", view, scale, measured, **choice, **settings)
    findings_list(view, which, picks)


def _right_to_left(trace: Trace, which: str) -> bool:
    """Let the visitor choose where the columns begin: at the right in scripts written from there.

    Offered where it makes a difference to the reader: for a source in such a script.
    """
    if which == "decoder" or not runs_right_to_left(trace.source):
        return False
    return st.toggle("Right to left", True, key="right_to_left", **URL)


def _top_words(view: View, controls: Controls) -> None:
    """List the source tokens or words that each output token attended to most."""
    trace = view.shown
    with controls:
        which = _which(trace)
        picks, by_word = _picks(trace, which), _by_word(trace, which)
        count = st.slider("Per row", 1, MOST_TOP, 3, key="top_words", width=160, **URL)
    found = grid(trace, which=which, by_word=by_word, **picks)
    best = strongest(found, min(count, len(found.columns)))
    columns: dict[str, list[Any]] = {"row": found.rows.numbers, "token": found.rows.labels}
    for place in range(len(best[0])):
        listed = (row[place] for row in best)
        columns[f"{place + 1}"] = [
            f"{found.columns.labels[column]} ({found.columns.numbers[column]}) {weight:.2f}"
            for column, weight in listed
        ]
    key = f"top_words_{which}_{by_word}"

    def use_row() -> None:
        if rows := st.session_state[key].selection.rows:
            token = found.rows.tokens[rows[0]]
            (select_word if which == "encoder" else select_step)(token)

    st.dataframe(
        columns,
        hide_index=True,
        key=key,
        on_select=use_row,
        selection_mode="single-row",
        alt="Of each row the tokens with the largest attention weights",
    )
    st.caption(
        "Beside each token those with the largest attention weights, best first, each with its "
        "position and weight. Choose a row to select its step."
    )


def _ribbons(view: View, controls: Controls) -> None:
    from seq2seq import figures
    from seq2seq.figures.ribbons import MASS, THINNEST, legible

    trace = view.shown
    with controls:
        which = _which(trace)
        picks, by_word = _picks(trace, which), _by_word(trace, which)
        _encoder_frame(view)
        mass = st.slider(
            "Share of each row",
            0.05,
            1.0,
            MASS,
            0.05,
            key="mass",
            width=195,
            help="Of each row, the fewest ribbons are drawn whose weights reach this share.",
            **URL,
        )
    choice: Choice = {"which": which, "by_word": by_word, **picks}
    selected, word = _selected(view, which)
    rows, columns = legible(trace, selected or 0, **choice)
    drawn: Choice = {**choice, "rows": rows, "columns": columns}
    chart(
        "ribbons",
        draw(figures.ribbons, view.named_shown, selected, word, mass, is_dark(), **drawn),
        f"Ribbons as wide as the attention weights{_of_output()}, from the source, left, to the "
        "output, right. All of them are in the CSV below.",
        lambda: figures.ribbons_csv(trace, mass, **choice),
        _select(view, which, "ribbons"),
    )
    st.caption(f"Weights below {THINNEST} are too thin to be drawn.")
    wholes = (
        (trace.source if which == "encoder" else trace.target),
        (trace.target if which == "decoder" else trace.source),
    )
    parts = [
        f"{part.start + 1:,} to {part.stop:,} of {len(whole):,}"
        for part, whole in zip((rows, columns), wholes, strict=True)
    ]
    if (len(rows), len(columns)) != tuple(map(len, wholes)):
        st.caption(f"Shown around the selected step: outputs {parts[0]}, read {parts[1]}.")


def _all_heads(view: View, controls: Controls) -> None:
    from seq2seq import figures
    from seq2seq.figures.head_grid import MOST

    trace = view.shown
    with controls:
        which = _which(trace)
        layers, heads = layers_and_heads(trace, which)
        picks = _picks(trace, which)
        shown, at_once = range(layers), max(1, MOST // heads)
        if layers > at_once:
            most = layers - at_once + 1
            if st.session_state.get("from_layer", 1) > most:
                st.session_state["from_layer"] = 1
            layer = picks["layer"]
            start = min(layer + 1, most) if isinstance(layer, int) else 1
            first = st.slider("From layer", 1, most, start, key="from_layer", width=200, **URL) - 1
            shown = range(first, first + at_once)
        scale = _scale()
    if layers * heads == 1:
        st.info(
            "This model has one layer of attention with one head: the matrix shows all of it.",
            icon=":material/info:",
        )
        return
    place = picks["layer"], picks["head"]

    def open_head() -> None:
        if found := clicked("heads"):
            st.session_state["layer"] = str(found[0] + 1) if layers > 1 else "mean"
            st.session_state["head"] = str(found[1] + 1) if heads > 1 else "mean"
            st.session_state[LONG if _is_long(trace) else SHORT] = "Matrix"

    chart(
        "heads",
        draw(figures.multiples, view.named_shown, which, shown, place, scale, is_dark()),
        f"A small attention matrix for each head of layers {shown.start + 1} to {shown.stop} of "
        f"{layers}{_of_output()}.",
        lambda: figures.multiples_csv(trace, which, shown),
        open_head,
    )
    st.caption("Click a head to open its matrix, or choose its layer and head above, then Matrix.")


def _blocks(view: View, controls: Controls) -> None:
    from seq2seq import figures
    from seq2seq.figures.sentence_blocks import block_texts, block_tokens, block_weights

    trace = view.shown
    with controls:
        which = _which(trace)
        picks = _picks(trace, which)
        scale, by_word = _scale(), _by_word(trace, which)
    row, column = _chosen_block(view, which, picks)

    def open_block() -> None:
        if found := clicked("blocks"):
            st.session_state[_ROW] = str(found[0] + 1)
            st.session_state[_COLUMN] = str(found[1] + 1)

    chart(
        "blocks",
        draw(figures.blocks, view.named_shown, (row, column), which, dark=is_dark(), **picks),
        f"Attention{_of_output()} between sentences: {row + 1} is the open row, {column + 1} the "
        "open column. All weights are in the CSV below.",
        lambda: figures.blocks_csv(trace, which, **picks),
        open_block,
    )
    weight = block_weights(trace, which, **picks)[row, column]
    keys, queries = block_texts(trace, which)
    st.caption(
        "Each cell is the attention from one sentence to another, averaged over its tokens. Click "
        f"one, or choose it above, to open it below. Open now: {quoted(queries[row])}, with "
        f"{weight:.2f} on {quoted_end(keys[column])}"
    )
    rows, columns = block_tokens(trace, which, row, column)
    choice: Choice = {"which": which, "by_word": by_word, "rows": rows, "columns": columns, **picks}
    attention_chart(trace, "attention", view, scale=scale, measured=False, **choice)
    findings_list(view, which, picks)


_ROW, _COLUMN = "row_sentence", "column_sentence"
OF_STEP, STRONGEST = "of the step", "strongest"


def _chosen_block(view: View, which: str, picks: Picks) -> tuple[int, int]:
    """Let the visitor choose a block; by itself it is the one that the selected step looked at."""
    from seq2seq.analysis.passages import passages
    from seq2seq.figures.sentence_blocks import block_weights
    from seq2seq.figures.theme import LABELS_UP_TO

    weights = block_weights(view.shown, which, **picks)
    selected = _selected(view, which)[0] or 0
    numbers = passages(view.shown, which, LABELS_UP_TO)[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        found = []
        for key, label, first, count in (
            (_ROW, "Query sentence", OF_STEP, weights.shape[0]),
            (_COLUMN, "Key sentence", STRONGEST, weights.shape[1]),
        ):
            options = [first, *map(str, range(1, count + 1))]
            _keep(key, options)
            found.append(st.selectbox(label, options, key=key, width=180, **URL))
    row = int(found[0]) - 1 if found[0] != OF_STEP else numbers[selected]
    column = int(found[1]) - 1 if found[1] != STRONGEST else int(weights[row].argmax())
    return row, column


PICTURES: dict[str, Callable[[View, Controls], None]] = {
    "Matrix": _matrix,
    "Ribbons": _ribbons,
    "All heads": _all_heads,
    "Top words": _top_words,
    "Blocks": _blocks,
}


def attention_chart(
    trace: Trace,
    key: str,
    view: View | None = None,
    scale: str = "0 to 1",
    measured: bool = False,
    **choice: Any,
) -> None:
    """Show where the model looked; with a view, its step and word are framed and can be chosen."""
    if trace.attention is None:
        no_attention()
        return
    from seq2seq import figures

    which, weights = choice.get("which", "cross"), dict(choice)
    weights.pop("right_to_left", None)
    selected, word = (None, None) if view is None else _selected(view, which)
    described = (
        f"Matrix of attention weights{_of_output() if view else ''}: {len(trace.target):,} output "
        f"tokens, {len(trace.source):,} source positions. All weights are in the CSV below."
    )
    chart(
        key,
        draw(
            figures.attention,
            Named("trace", trace),
            selected,
            word,
            scale,
            measured,
            is_dark(),
            **choice,
        ),
        described,
        lambda: figures.attention_csv(trace, **weights),
        None if view is None else _select(view, which, key),
        None if view is None else _lights(trace, which, choice),
    )


def _lights(trace: Trace, which: str, choice: dict[str, Any]) -> Lights:
    """Return which tokens the rows and columns of a matrix stand for."""
    rows = "source" if which == "encoder" else "target"
    columns = "target" if which == "decoder" else "source"
    if not choice.get("by_word"):  # each is one token
        return [(rows, {}), (columns, {})]
    found = grid(trace, which, by_word=True, rows=choice.get("rows"), columns=choice.get("columns"))
    lights: Lights = []
    for side, part in ((rows, found.rows), (columns, found.columns)):
        ends = zip(part.tokens, [*part.tokens[1:], part.end], strict=True)
        lights.append((side, {first: end for first, end in ends if end > first + 1}))
    return lights


def no_attention() -> None:
    """Say that a model has no attention."""
    st.info(
        "This model has no attention: the encoder's final state is all that its decoder gets of "
        "the source.",
        icon=":material/visibility_off:",
    )


def _context(view: View) -> None:
    """Show what a decoder without attention has of the source."""
    from seq2seq import figures

    no_attention()
    trace = view.shown
    st.subheader("Context vector", help=term_help("context vector"))
    chart(
        "context",
        draw(figures.context, view.named_shown, view.step, is_dark()),
        f"The {trace.contexts.shape[1]} numbers of the context vector, the same at every step.",
        lambda: figures.context_csv(trace),
    )


def _of_output() -> str:
    return f" of hypothesis {output_name()}"


def _hypothesis_caption(view: View) -> None:
    """Say which output the pictures are of, where it is not the best one, which stands above."""
    if view.name != BEST:
        st.caption(f"Attention of hypothesis {output_name()}")


def sinks_note(trace: Trace) -> None:
    """Name the attention sinks of a run, where there are any."""
    found = sinks(trace)
    if not found:
        return
    listed = ", ".join(
        f"{quoted(shown(trace.source.pieces[place]))} (token {place + 1}) gets {share:.0%}"
        for place, share in found
    )
    name = term_link("attention sink", "Attention sink")
    st.caption(
        f"{name}: {listed} of the attention, averaged over all steps.",
        help=f"From {SINK:.0%} on, at an end of the source. A sink receives attention "
        "whatever is written, so it tells little about where a word came from. A bidirectional "
        "encoder invites one: its states at the ends have read the whole source, so they can serve "
        "as a summary. In a matrix it has a dashed frame.",
    )


def _selected(view: View, which: str) -> tuple[int | None, int | None]:
    """Return the row and the column token that are selected."""
    if which == "encoder":
        return view.word, view.word
    return view.step, None if which == "decoder" else view.word


def _select(view: View, which: str, key: str) -> Callable[[], None]:
    """Return what a click on a point does: its row's token and its column's become selected."""

    def select() -> None:
        place = clicked(key)
        if place is None:
            return
        step, word = place[0], place[1]
        if which == "encoder":
            step, word = None, place[1] if place[0] is None else place[0]
        if which == "decoder":
            word = None
        # A second click on the same place leaves the word, as select_word does.
        if word is not None and (word != view.word or step in (None, view.step)):
            select_word(word)
        if step is not None:
            select_step(step)

    return select
