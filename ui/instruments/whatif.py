"""What if: another source, words nobody sees, a step that looks elsewhere; before and after."""

from __future__ import annotations

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
from ui.instruments.files import offer
from ui.instruments.view import View
from ui.runs import derive, follow, run
from ui.text import plain, quoted

URL: Any = {"bind": "query-params"}
# In the address. None is bound to its control, which is gone while another tab is open.
_EDIT, _INSTEAD, _MUTED = "edit", "instead", "muted"
_OF = "changes_of"  # in the session: the model and the text that they belong to
MOST, MOST_SLIDERS, ACROSS, ALL = 8, 24, 4, "all"
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
    _forget_others(view)
    if view.run.position_seconds:
        edits = _row_editor(view, ())
        _compare(view, view.subject.given, Interventions(edits))
        return
    instead = _source(view)
    if instead:
        _compare(view, instead, Interventions())
        if _written() or st.query_params.get_all(_MUTED):
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
    changed = Interventions(_row_editor(view, muted), muted)
    if changed:
        _compare(view, view.subject.given, changed)
    else:
        st.caption("Nothing is changed yet.")


def _forget_others(view: View) -> None:
    """Forget what belongs to another text; changed rows also if they are another model's."""
    given = view.subject.given
    now = view.subject.name, given if isinstance(given, str) else view.subject.key
    model, text = st.session_state.setdefault(_OF, now)
    st.session_state[_OF] = now
    if text != now[1]:
        _keep(_MUTED, [])
        _keep(_INSTEAD, "")
        for name in (_MUTED, _INSTEAD):
            st.session_state.pop(name, None)
    if (model, text) != now:
        _keep(_EDIT, [])


def _keep(name: str, value: str | list[str]) -> None:
    """Put a value into the address, or take the name out of it where there is none."""
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def _source(view: View) -> str:
    """Let the visitor give another source; returns it, "" for none."""
    text = view.run.source.text
    st.session_state.setdefault(_INSTEAD, st.query_params.get(_INSTEAD, ""))
    instead = st.text_input(
        "Another source",
        key=_INSTEAD,
        on_change=lambda: _keep(_INSTEAD, st.session_state[_INSTEAD]),
        placeholder="Type another sentence, or take one below that differs in one thing",
        autocomplete="off",
        max_chars=2_000,
    )
    offered = contrasts(text)

    def use() -> None:
        if chosen := st.session_state["contrast"]:
            st.session_state[_INSTEAD] = offered[chosen]
            _keep(_INSTEAD, offered[chosen])
            st.session_state["contrast"] = None

    if offered:
        st.pills(
            "Change only the",
            list(offered),
            key="contrast",
            on_change=use,
            help="Exchanges single words without bending the others, so it need not be good "
            "English.",
        )
    return "" if instead.strip() == text else instead.strip()


def _mute(trace: Trace) -> tuple[int, ...]:
    """Let the visitor mute source words; returns their tokens."""
    names = _numbered(trace)
    asked = [name for name in st.query_params.get_all(_MUTED) if name in names]
    if _MUTED not in st.session_state or set(st.session_state[_MUTED]) - set(names):
        st.session_state[_MUTED] = asked
    chosen = st.pills(
        "Mute: what nobody can look at",
        list(names),
        selection_mode="multi",
        key=_MUTED,
        on_change=lambda: _keep(_MUTED, list(st.session_state[_MUTED])),
        help="A Transformer's source does not see it either; a recurrent encoder has read it.",
    )
    numbers = {names[name] for name in chosen}
    return tuple(i for i, word in enumerate(trace.source.words) if word in numbers)


def _numbered(trace: Trace) -> dict[str, int]:
    """Return the number of each source word by a name that no other one has."""
    return {f"{number + 1} {word}": number for number, word in enumerate(words(trace.source))}


def _row_editor(view: View, muted: tuple[int, ...]) -> tuple[AttentionEdit, ...]:
    """Let the visitor change where the selected step looks; lists and returns what is changed."""
    trace = view.run
    edits, waiting = _sorted(trace, muted)
    with st.container(border=True):
        step = min(view.step, len(trace.target) - 1)
        piece = shown(trace.target.pieces[step])
        st.markdown(f"**Where step {step + 1}, {quoted(piece)}, looks**")
        if view.shown is not view.run:
            st.caption("Changes are made to output 1, the best one.")
        controls = st.container(horizontal=True, vertical_alignment="bottom")
        below = st.container()
        with controls:
            layer, head = _place(trace)
            preset = st.selectbox("Let it look at", PRESETS, key="preset", width=220, **URL)
            target = _Target(view, step, layer, head)
            with below if preset == "By hand" else controls:
                row = _row(target, preset, Interventions(tuple(e.edit for e in edits), muted))
        if row is not None:
            edit = AttentionEdit(step, row, layer, head)
            st.button(
                "Change this row", key="change_row", type="primary", on_click=_add, args=(edit,)
            )
        _list(trace, edits, waiting)
    return tuple(each.edit for each in edits)


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
    from seq2seq import rows

    view, trace, own = target.view, target.view.run, target.own
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
        return _make_it_say(target, changes)
    return _by_hand(target, names, numbers)


def _by_hand(
    target: _Target, names: dict[str, int], numbers: tuple[int, ...]
) -> tuple[float, ...] | None:
    import numpy as np

    from seq2seq import rows

    shares = np.bincount(numbers, weights=target.own)
    most = sorted(sorted(range(len(shares)), key=lambda n: -shares[n])[:MOST_SLIDERS])
    by_number = {number: name for name, number in names.items()}
    # Each row of each run begins with its own weights.
    of = hash((target.view.subject.key, *target[1:]))
    for first in range(0, len(most), ACROSS):
        for column, number in zip(st.columns(ACROSS), most[first:], strict=False):
            shares[number] = column.slider(
                by_number[number],
                0.0,
                1.0,
                round(float(shares[number]), 2),
                0.01,
                key=f"share {of} {number}",
            )
    if not shares.sum():
        st.warning("All weights are 0: give at least one word some weight.")
        return None
    return tuple(rows.by_word(numbers, shares))


def _make_it_say(target: _Target, changes: Interventions) -> tuple[float, ...] | None:
    """Find the row that makes the step say a word, with all other changes made."""
    word = st.text_input("this word", key="say", max_chars=60, autocomplete="off", width=160, **URL)
    if not word.strip():
        return None
    trace, step = target.view.run, target.step

    def work(checkpoint: Any, on_step: Any) -> Any:
        from seq2seq.search import Progress
        from seq2seq.source import clean
        from seq2seq.steering import steer

        tokens = checkpoint.tokenizer.encode_target(clean(word))
        if not tokens or checkpoint.model.config.unknown in tokens:
            raise UserError("The model has never seen this word: choose another.")

        def on_round(done: int, total: int) -> None:
            on_step(Progress(done, total, ()))

        place = target.layer, target.head
        found = steer(checkpoint, trace, step, tokens[0], *place, changes, on_round)
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


def _list(trace: Trace, edits: list[_Written], waiting: dict[_Written, str]) -> None:
    """List the changed rows, each with a button that takes it back."""
    for number, each in enumerate([*edits, *waiting]):
        edit = each.edit
        best = max(range(len(edit.weights)), key=edit.weights.__getitem__)
        where = ", ".join(
            f"{name} {value + 1}"
            for name, value in (("layer", edit.layer), ("head", edit.head))
            if value is not None
        )
        text = f"Step {edit.step + 1} looks most at {quoted(label(trace.source.pieces[best]))}"
        text += f" in {where}." if where else "."
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(waiting.get(each, text))
            st.button(
                "Undo",
                key=f"undo_{number}",
                on_click=_remove,
                args=(each.text,),
                icon=":material/undo:",
            )


class _Written(NamedTuple):
    """An edit as it stands in the address."""

    text: str
    edit: AttentionEdit


# One way to read each text: with two of them a long text takes for ever.
_FORM = re.compile(r"(\d{1,3})\.(a|\d{1,2})\.(a|\d{1,2})\.(\d{1,4}(?:_\d{1,4})*)", re.ASCII)


def _written() -> list[_Written]:
    found = []
    for text in st.query_params.get_all(_EDIT)[:MOST]:
        if match := _FORM.fullmatch(text):
            step, layer, head, weights = match.groups()
            values = tuple(int(part) / 1000 for part in weights.split("_"))
            place = [None if part == "a" else int(part) for part in (layer, head)]
            found.append(_Written(text, AttentionEdit(int(step), values, *place)))
    return found


def _sorted(trace: Trace, muted: tuple[int, ...]) -> tuple[list[_Written], dict[_Written, str]]:
    """Return the changes in the address that this run can have, and those that wait, with why.

    What fits no run of this source leaves the address: it is nonsense of a link.
    """
    layers, heads = (0, 0) if trace.attention is None else trace.attention.shape[1:3]
    edits: list[_Written] = []
    waiting: dict[_Written, str] = {}
    for each in _written():
        step = each.edit.step
        try:
            Interventions((each.edit,)).check(len(trace.source), layers, heads)
        except UserError:
            _remove(each.text)
            continue
        if step >= len(trace.target):
            waiting[each] = (
                f"The change of step {step + 1} waits: this output has {len(trace.target)} steps."
            )
        elif not any(weight for i, weight in enumerate(each.edit.weights) if i not in muted):
            waiting[each] = (
                f"The change of step {step + 1} waits: it looks at nothing but muted words."
            )
        else:
            edits.append(each)
    return edits, waiting


def _add(edit: AttentionEdit) -> None:
    """Make a change; those that it covers are gone."""
    kept = [
        each.text
        for each in _written()
        if each.edit.step != edit.step
        or edit.layer not in (None, each.edit.layer)
        or edit.head not in (None, each.edit.head)
    ]
    place = ("a" if value is None else str(value) for value in (edit.layer, edit.head))
    weights = "_".join(str(round(1000 * weight)) for weight in edit.weights)
    _keep(_EDIT, [*kept, ".".join([str(edit.step), *place, weights])][-MOST:])


def _remove(text: str) -> None:
    _keep(_EDIT, [each.text for each in _written() if each.text != text])


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
    offer("Changed run, JSON", after, "changed_run.json")
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
