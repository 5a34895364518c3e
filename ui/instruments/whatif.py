"""What if: another source, words nobody sees, a step that looks elsewhere; before and after."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from seq2seq.contrasts import contrasts
from seq2seq.conversation import differing
from seq2seq.errors import UserError
from seq2seq.interventions import AttentionEdit, Interventions
from seq2seq.trace import Trace, label, shown, words
from ui.chart import chart
from ui.code import Written, define, draw
from ui.components import marked
from ui.frame import is_dark
from ui.instruments.view import View
from ui.runs import derive, follow, run
from ui.text import plain, quoted

URL: Any = {"bind": "query-params"}
_EDIT, _INSTEAD, _MUTED = "edit", "instead", "muted"
MOST, MOST_SLIDERS, ALL = 8, 24, "all"
PRESETS = (
    "One word only",
    "All words alike",
    "One token further",
    "One token back",
    "Two words exchanged",
    "By hand",
    "Make it say",
)


def show(view: View) -> None:
    """Let the visitor change the run, and show it before and after."""
    if view.subject.missing:
        st.info(plain(view.subject.missing), icon=":material/info:")
        return
    if view.run.position_seconds:
        _row_editor(view, view.run)
        _compare(view, view.subject.given, Interventions(_edits(view.run)))
        return
    instead = _source(view)
    if instead:
        _compare(view, instead, Interventions())
        if _edits(view.run) or st.session_state.get(_MUTED):
            st.caption(
                "Muted words and changed rows belong to the first source, so they wait until the "
                "other one is removed."
            )
        return
    if view.run.attention is None:
        st.info(
            "This model has no attention, so no word can be muted and no row changed: change the "
            "source above.",
            icon=":material/info:",
        )
        return
    muted = _mute(view.run)
    _row_editor(view, view.run)
    changed = Interventions(_edits(view.run), muted)
    if changed:
        _compare(view, view.subject.given, changed)
    else:
        st.caption("Nothing is changed yet.")


def _source(view: View) -> str:
    """Let the visitor give another source; returns it, "" for none."""
    text = view.run.source.text
    instead = st.text_input(
        "Another source",
        key=_INSTEAD,
        placeholder="Type another sentence, or take one below that differs in one thing",
        autocomplete="off",
        max_chars=2_000,
        **URL,
    )
    offered = contrasts(text)

    def use() -> None:
        if chosen := st.session_state["contrast"]:
            st.session_state[_INSTEAD] = offered[chosen]
            st.session_state["contrast"] = None

    if offered:
        st.pills("Change only the", list(offered), key="contrast", on_change=use)
    return "" if instead.strip() == text else instead.strip()


def _mute(trace: Trace) -> tuple[int, ...]:
    """Let the visitor mute source words; returns their tokens."""
    names = _numbered(trace)
    chosen = st.pills(
        "Mute: what nobody can look at",
        list(names),
        selection_mode="multi",
        key=_MUTED,
        help="A Transformer's source does not see it either; a recurrent encoder has read it.",
        **URL,
    )
    numbers = {names[name] for name in chosen}
    return tuple(i for i, word in enumerate(trace.source.words) if word in numbers)


def _numbered(trace: Trace) -> dict[str, int]:
    """Return the number of each source word by a name that no other one has."""
    return {f"{number + 1} {word}": number for number, word in enumerate(words(trace.source))}


def _row_editor(view: View, trace: Trace) -> None:
    """Let the visitor change where the selected step looks; lists what is changed."""
    with st.container(border=True):
        piece = shown(trace.target.pieces[min(view.step, len(trace.target) - 1)])
        st.markdown(f"**Where step {view.step + 1}, {quoted(piece)}, looks**")
        if view.shown is not view.run:
            st.caption("Changes are made to output 1, the best one.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            layer, head = _place(trace)
            preset = st.selectbox("Let it look at", PRESETS, key="preset", width=220, **URL)
            row = _row(view, trace, preset, layer, head)
        if row is not None:
            edit = AttentionEdit(min(view.step, len(trace.target) - 1), row, layer, head)
            st.button(
                "Change this row", key="change_row", type="primary", on_click=_add, args=(edit,)
            )
        _list(trace)


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


def _row(
    view: View, trace: Trace, preset: str, layer: int | None, head: int | None
) -> tuple[float, ...] | None:
    """Return the weights to put in, None while something is missing."""
    from seq2seq import rows

    assert trace.attention is not None
    step = min(view.step, len(trace.target) - 1)
    weights = trace.attention[step].astype("float64")
    weights = weights.mean(axis=0) if layer is None else weights[layer]
    own = weights.mean(axis=0) if head is None else weights[head]
    names, numbers = _numbered(trace), trace.source.words
    if trace.position_seconds:
        names = {f"{piece} s": number for number, piece in enumerate(trace.source.pieces)}
        numbers = tuple(range(len(trace.source)))
    if preset == "One word only":
        at = numbers[view.word] if view.word is not None else 0
        name = st.selectbox("Word", list(names), at, key="row_word", width=160)
        return tuple(rows.one_hot(numbers, names[name]))
    if preset == "All words alike":
        return tuple(rows.uniform(numbers))
    if preset in ("One token further", "One token back"):
        return tuple(rows.shifted(own, 1 if preset == "One token further" else -1))
    if preset == "Two words exchanged":
        first = st.selectbox("Word", list(names), 0, key="row_word", width=160)
        second = st.selectbox("with", list(names), min(1, len(names) - 1), key="with", width=160)
        return tuple(rows.swapped(own, numbers, names[first], names[second]))
    if preset == "Make it say":
        return _make_it_say(view, trace, step, layer, head)
    return _by_hand(names, numbers, own)


def _by_hand(names: dict[str, int], numbers: tuple[int, ...], own: Any) -> tuple[float, ...] | None:
    import numpy as np

    from seq2seq import rows

    shares = np.bincount(numbers, weights=own)
    most = sorted(sorted(range(len(shares)), key=lambda n: -shares[n])[:MOST_SLIDERS])
    by_number = {number: name for name, number in names.items()}
    with st.container():
        for column, number in zip(itertools.cycle(st.columns(4)), most, strict=False):
            key = f"share {number} {by_number[number]}"
            shares[number] = column.slider(
                by_number[number], 0.0, 1.0, round(float(shares[number]), 2), 0.01, key=key
            )
    if not shares.sum():
        st.warning("All weights are 0: give at least one word some weight.")
        return None
    return tuple(rows.by_word(numbers, shares))


def _make_it_say(
    view: View, trace: Trace, step: int, layer: int | None, head: int | None
) -> tuple[float, ...] | None:
    word = st.text_input("this word", key="say", max_chars=60, autocomplete="off", width=160, **URL)
    if not word.strip():
        return None

    def work(checkpoint: Any, on_step: Any) -> Any:
        from seq2seq.search import Progress
        from seq2seq.source import clean
        from seq2seq.steering import steer

        tokens = checkpoint.tokenizer.encode_target(clean(word))
        if not tokens or checkpoint.model.config.unknown in tokens:
            raise UserError("The model has never seen this word: choose another.")

        def on_round(done: int, total: int) -> None:
            on_step(Progress(done, total, ()))

        return steer(checkpoint, trace, step, tokens[0], layer, head, on_round)

    found = derive(view.subject, ("steer", trace.target.ids, step, word, layer, head), work)
    if found is None:
        return None
    st.caption(
        f"The best row found raises {quoted(word)} at step {step + 1} from {found.before:.2%} to "
        f"{found.after:.2%}."
    )
    return found.edit.weights


def _list(trace: Trace) -> None:
    """List the changed rows, each with a button that takes it back."""
    for number, edit in enumerate(_edits(trace)):
        best = max(range(len(edit.weights)), key=edit.weights.__getitem__)
        where = ", ".join(
            f"{name} {value + 1}"
            for name, value in (("layer", edit.layer), ("head", edit.head))
            if value is not None
        )
        text = f"Step {edit.step + 1} looks most at {quoted(label(trace.source.pieces[best]))}"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{text}{f' in {where}' if where else ''}.")
            st.button(
                "Undo",
                key=f"undo_{number}",
                on_click=_remove,
                args=(number,),
                icon=":material/undo:",
            )


class _Written(NamedTuple):
    """An edit as it stands in the address."""

    text: str
    edit: AttentionEdit


_FORM = re.compile(r"(\d{1,3})\.(a|\d{1,2})\.(a|\d{1,2})\.((?:\d{1,4}_?)+)", re.ASCII)


def _written() -> list[_Written]:
    found = []
    for text in st.query_params.get_all(_EDIT)[:MOST]:
        if match := _FORM.fullmatch(text):
            step, layer, head, weights = match.groups()
            values = tuple(int(part) / 1000 for part in weights.split("_") if part)
            place = [None if part == "a" else int(part) for part in (layer, head)]
            found.append(_Written(text, AttentionEdit(int(step), values, *place)))
    return found


def _edits(trace: Trace) -> tuple[AttentionEdit, ...]:
    """Return the changes in the address that this run can have."""
    layers, heads = (0, 0) if trace.attention is None else trace.attention.shape[1:3]
    kept = []
    for _, edit in _written():
        try:
            Interventions((edit,)).check(len(trace.source), layers, heads)
        except UserError:
            continue
        kept.append(edit)
    return tuple(kept)


def _add(edit: AttentionEdit) -> None:
    place = ("a" if value is None else str(value) for value in (edit.layer, edit.head))
    weights = "_".join(str(round(1000 * weight)) for weight in edit.weights)
    text = ".".join([str(edit.step), *place, weights])
    st.query_params[_EDIT] = [*(each.text for each in _written()), text][-MOST:]


def _remove(number: int) -> None:
    texts = [each.text for each in _written()]
    del texts[number : number + 1]
    if texts:
        st.query_params[_EDIT] = texts
    else:
        st.query_params.pop(_EDIT, None)


def _compare(view: View, given: Any, interventions: Interventions) -> None:
    """Show the changed run beside the one before."""
    import seq2seq
    from seq2seq import figures

    changed = replace(view.subject, given=given, interventions=interventions)
    before, after = view.run, run(changed)
    if after is None:
        return
    source = Written("source") if given == view.subject.given else given
    arguments = Written("checkpoint"), source, Written("trace.options")
    if interventions:
        define("changed", after, seq2seq.run, *arguments, interventions=interventions)
    else:
        define("changed", after, seq2seq.run, *arguments)
    old, new = differing(before.text, after.text)
    marked("whatif", [("Before", old), ("After", new)])
    total = float(before.log_probabilities.sum()), float(after.log_probabilities.sum())
    said = f"Log-probability {total[0]:.2f} before, {total[1]:.2f} after."
    same = before.target.ids == after.target.ids
    st.caption(("The output is the same. " if same else "") + said)
    if interventions:
        _probabilities(view, changed, interventions)
    if after.attention is None:
        return
    left, right = st.columns(2, gap="large")
    for column, name, trace in ((left, "before", before), (right, "after", after)):
        with column:
            chart(
                f"attention_{name}",
                draw(
                    figures.attention,
                    trace,
                    selected=min(view.step, len(trace.target) - 1),
                    dark=is_dark(),
                ),
                f"Attention {name}: {len(trace.target)} output tokens, {len(trace.source)} of the "
                "source. All weights are in the CSV.",
                partial(figures.attention_csv, trace),
            )


def _probabilities(view: View, changed: Any, interventions: Interventions) -> None:
    """Say what the changes did to the tokens that were chosen before."""
    forced = follow(changed, view.run.target.ids)
    if forced is None:
        return
    steps = sorted({edit.step for edit in interventions.attention} | {view.step})
    for step in (step for step in steps if step < len(view.run.target)):
        before, after = (
            math.exp(float(trace.log_probabilities[step])) for trace in (view.run, forced)
        )
        st.markdown(
            f"Step {step + 1}: {quoted(shown(view.run.target.pieces[step]))} had the probability "
            f"{before:.1%}, now {after:.1%}; most probable now: "
            f"{quoted(shown(forced.alternatives.pieces[step][0]))} "
            f"({math.exp(float(forced.alternatives.log_probabilities[step][0])):.1%})."
        )
