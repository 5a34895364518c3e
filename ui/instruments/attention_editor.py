"""A row of attention that the visitor sets: by a preset, freely, or optimized for a word."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from seq2seq.decoding.interventions import AttentionEdit, Interventions
from seq2seq.errors import UserError
from seq2seq.trace import Trace, shown, words
from ui.escape import plain, quoted
from ui.instruments import edit_links
from ui.instruments.selection import View
from ui.links import URL
from ui.runtime.runs import derive
from ui.terms import term_help

MOST_SLIDERS, ACROSS, ALL = 24, 4, "all"
PRESETS = (
    "One word only",
    "Uniform",
    "Shift right",
    "Shift left",
    "Swap two words",
    "Custom",
    "Optimize for a word",
)


def row_editor(view: View, muted: tuple[int, ...]) -> tuple[AttentionEdit, ...]:
    """Let the visitor change where the selected step looks; lists and returns what is changed."""
    trace = view.run
    made, waiting = edit_links.fitting(trace, muted)
    with st.container(border=True):
        step = min(view.step, len(trace.target) - 1)
        piece = shown(trace.target.pieces[step])
        st.markdown(f"**Attention of step {step + 1}, {quoted(piece)}**")
        if view.shown is not view.run:
            st.caption("Changes are made to hypothesis 1, the best one.")
        controls = st.container(horizontal=True, vertical_alignment="bottom")
        below = st.container()
        with controls:
            layer, head = _place(trace)
            preset = st.selectbox(
                "Override attention",
                PRESETS,
                key="preset",
                width=220,
                help=term_help("attention override"),
                **URL,
            )
            target = _Target(view, step, layer, head)
            with below if preset == "Custom" else controls:
                row = _row(target, preset, Interventions(tuple(each.edit for each in made), muted))
        if row is not None:
            edit = AttentionEdit(step, row, layer, head)
            st.button(
                "Apply to this step",
                key="change_row",
                type="primary",
                on_click=edit_links.add,
                args=(edit,),
            )
        edit_links.show(trace, made, waiting)
    return tuple(each.edit for each in made)


class _Target(NamedTuple):
    """Whose row is changed: a step of a run, in a layer and head; None for all of them."""

    view: View
    step: int
    layer: int | None
    head: int | None

    @property
    def own(self) -> Any:
        """The row that the model has there, (source,)."""
        attention = self.view.run.attention
        assert attention is not None
        weights = attention[self.step].astype("float64")
        weights = weights.mean(axis=0) if self.layer is None else weights[self.layer]
        return weights.mean(axis=0) if self.head is None else weights[self.head]


def _place(trace: Trace) -> tuple[int | None, int | None]:
    assert trace.attention is not None
    chosen: list[int | None] = []
    for name, count in zip(("layer", "head"), trace.attention.shape[1:3], strict=True):
        if count == 1:
            chosen.append(None)
            continue
        options = [ALL, *map(str, range(1, count + 1))]
        value = st.selectbox(f"In {name}", options, key=f"edit_{name}", width=100, **URL)
        chosen.append(None if value == ALL else int(value) - 1)
    return chosen[0], chosen[1]


def _row(target: _Target, preset: str, changes: Interventions) -> tuple[float, ...] | None:
    """Return the weights to put in, None while something is missing. changes: made before."""
    from seq2seq.decoding import attention_presets

    view, trace, own = target.view, target.view.run, target.own
    names, numbers = numbered(trace), trace.source.words
    if trace.position_seconds:
        names = {f"{piece} s": number for number, piece in enumerate(trace.source.pieces)}
        numbers = tuple(range(len(trace.source)))
    if preset == "One word only":
        at = numbers[view.word] if view.word is not None else 0
        name = st.selectbox("Word", list(names), at, key="row_word", width=160)
        return tuple(attention_presets.one_hot(numbers, names[name]))
    if preset == "Uniform":
        return tuple(attention_presets.uniform(numbers))
    if preset in ("Shift right", "Shift left"):
        return tuple(attention_presets.shifted(own, 1 if preset == "Shift right" else -1))
    if preset == "Swap two words":
        first = st.selectbox("Word", list(names), 0, key="row_word", width=160)
        second = st.selectbox("with", list(names), min(1, len(names) - 1), key="with", width=160)
        return tuple(attention_presets.swapped(own, numbers, names[first], names[second]))
    if preset == "Optimize for a word":
        return _optimized(target, changes)
    return _custom(target, names, numbers)


def _custom(
    target: _Target, names: dict[str, int], numbers: tuple[int, ...]
) -> tuple[float, ...] | None:
    import numpy as np

    from seq2seq.decoding import attention_presets

    shares = np.bincount(numbers, weights=target.own)
    most = sorted(sorted(range(len(shares)), key=lambda n: -shares[n])[:MOST_SLIDERS])
    by_number = {number: name for name, number in names.items()}
    # Each row of each run begins with its own weights.
    of = hash((target.view.subject.key, *target[1:]))
    for first in range(0, len(most), ACROSS):
        for column, number in zip(st.columns(ACROSS), most[first:], strict=False):
            shares[number] = column.slider(
                plain(by_number[number]),
                0.0,
                1.0,
                round(float(shares[number]), 2),
                0.01,
                key=f"share {of} {number}",
            )
    if not shares.sum():
        st.warning("All weights are 0: give at least one word some weight.")
        return None
    return tuple(attention_presets.by_word(numbers, shares))


def _optimized(target: _Target, changes: Interventions) -> tuple[float, ...] | None:
    """Find the row that makes a word most probable, with all other changes made."""
    word = st.text_input("Word", key="say", max_chars=60, autocomplete="off", width=160, **URL)
    if not word.strip():
        return None
    trace, step = target.view.run, target.step

    def work(checkpoint: Any, on_step: Any) -> Any:
        from seq2seq.analysis.attention_optimization import Row, steer
        from seq2seq.decoding.search import Progress
        from seq2seq.inference.inputs import clean

        tokens = checkpoint.tokenizer.encode_target(clean(word))
        if not tokens or checkpoint.model.config.unknown in tokens:
            raise UserError("The model has never seen this word: choose another.")

        def on_round(done: int, total: int) -> None:
            on_step(Progress(done, total, ()))

        row = Row(step, target.layer, target.head)
        found = steer(checkpoint, trace, row, tokens[0], changes, on_round)
        return found, checkpoint.tokenizer.pieces(tokens[:1])[0], len(tokens)

    what = ("steer", trace.target.ids, step, word, target.layer, target.head, changes)
    derived = derive(target.view.subject, what, work)
    if derived is None:
        return None
    found, piece, count = derived
    whole = f", the first of the {count} tokens of {quoted(word)}," if count > 1 else ""
    st.caption(
        f"The best row found raises {quoted(shown(piece))}{whole} at step {step + 1} from "
        f"{found.before:.2%} to {found.after:.2%}."
    )
    return found.edit.weights


def numbered(trace: Trace) -> dict[str, int]:
    """Return the number of each source word by a name that no other one has."""
    return {f"{number + 1} {word}": number for number, word in enumerate(words(trace.source))}
