"""What if: another source, masked source words, overridden attention; before and after."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from typing import Any

import streamlit as st

from seq2seq.analysis.minimal_pairs import contrasts
from seq2seq.decoding.interventions import Interventions
from seq2seq.inference.conversation import differing
from seq2seq.trace import Trace, shown
from ui.code_export import Named, define, draw
from ui.components import highlighted_text
from ui.components.chart import chart
from ui.escape import plain, quoted
from ui.instruments import edit_links
from ui.instruments.attention import sinks_note
from ui.instruments.attention_editor import numbered, row_editor
from ui.instruments.downloads import offer
from ui.instruments.selection import View
from ui.links import URL
from ui.page import is_dark
from ui.runtime.runs import follow, run
from ui.terms import term_help

# In the address. None is bound to its control, which is gone while another tab is open.
_INSTEAD, _MUTED = "instead", "muted"
_OF = "changes_of"  # in the session: the model and the text that they belong to


def show(view: View) -> None:
    """Let the visitor change the run, and show it before and after."""
    if view.subject.missing:
        st.info(plain(view.subject.missing), icon=":material/info:")
        return
    _forget_others(view)
    if view.run.position_seconds:
        changed = Interventions(row_editor(view, ()))
        _compare(view, view.subject.given, changed)
        return
    instead = _source(view)
    if instead:
        _compare(view, instead, Interventions())
        if edit_links.written() or st.query_params.get_all(_MUTED):
            st.caption(
                "Masked words and overridden attention belong to the first source: clear the "
                "other one to apply them again."
            )
        return
    if view.run.attention is None:
        st.info(
            "This model has no attention, so nothing can be masked or overridden: change the "
            "source above.",
            icon=":material/info:",
        )
        return
    muted = _mute(view.run)
    changed = Interventions(row_editor(view, muted), muted)
    if changed:
        _compare(view, view.subject.given, changed)
    else:
        st.caption("Nothing is changed: mask a word, or override the attention of a step.")


def _forget_others(view: View) -> None:
    """Forget what belongs to another text; changed rows also if they are another model's."""
    given = view.subject.given
    now = view.subject.name, given if isinstance(given, str) else view.subject.key
    model, text = st.session_state.setdefault(_OF, now)
    st.session_state[_OF] = now
    if text != now[1]:
        edit_links.keep(_MUTED, [])
        edit_links.keep(_INSTEAD, "")
        for name in (_MUTED, _INSTEAD):
            st.session_state.pop(name, None)
    if (model, text) != now:
        edit_links.keep(edit_links.EDIT, [])


def _source(view: View) -> str:
    """Let the visitor give another source; returns it, "" for none."""
    text = view.run.source.text
    st.session_state.setdefault(_INSTEAD, st.query_params.get(_INSTEAD, ""))
    instead = st.text_input(
        "Another source",
        key=_INSTEAD,
        on_change=lambda: edit_links.keep(_INSTEAD, st.session_state[_INSTEAD]),
        placeholder="Type another sentence, or choose one below that differs in one thing",
        autocomplete="off",
        max_chars=2_000,
    )
    offered = contrasts(text)

    def use() -> None:
        if chosen := st.session_state["contrast"]:
            st.session_state[_INSTEAD] = offered[chosen]
            edit_links.keep(_INSTEAD, offered[chosen])
            st.session_state["contrast"] = None

    if offered:
        st.pills(
            "Change only the",
            list(offered),
            format_func=plain,
            key="contrast",
            on_change=use,
            help="Changes single words and leaves the others as they are, so the result need not "
            "be good English.",
        )
    return "" if instead.strip() == text else instead.strip()


def _mute(trace: Trace) -> tuple[int, ...]:
    """Let the visitor mask source words; returns their tokens."""
    names = numbered(trace)
    asked = [name for name in st.query_params.get_all(_MUTED) if name in names]
    if _MUTED not in st.session_state or set(st.session_state[_MUTED]) - set(names):
        st.session_state[_MUTED] = asked
    chosen = st.pills(
        "Mask source words",
        list(names),
        format_func=plain,
        selection_mode="multi",
        key=_MUTED,
        on_change=lambda: edit_links.keep(_MUTED, list(st.session_state[_MUTED])),
        help="No decoding step can attend to it. In a Transformer the encoder does not either; a "
        "recurrent encoder has still read it.",
    )
    numbers = {names[name] for name in chosen}
    return tuple(i for i, word in enumerate(trace.source.words) if word in numbers)


def _compare(view: View, given: Any, interventions: Interventions) -> None:
    """Show the changed run beside the one before."""
    import seq2seq
    from seq2seq import figures

    changed = replace(view.subject, given=given, interventions=interventions)
    before, after = view.run, run(changed)
    if after is None:
        return
    source = Named("source") if given == view.subject.given else given
    arguments = Named("checkpoint"), source, Named("trace.options")
    more: dict[str, Any] = {} if after.decoder_attention is None else {"self_attention": None}
    more |= {"interventions": interventions} if interventions else {}
    changed_run = define("changed", after, seq2seq.run, *arguments, **more)
    old, new = differing(before.text, after.text)
    highlighted_text("whatif", [("Before", old), ("After", new)])
    total = float(before.log_probabilities.sum()), float(after.log_probabilities.sum())
    said = f"log P {total[0]:.2f} before, {total[1]:.2f} after."
    same = before.target.ids == after.target.ids
    st.caption(("The output is the same. " if same else "") + said)
    if interventions:
        _probabilities(view, changed, after)
    else:
        _trajectories(view.named_run, changed_run)
    offer("Changed run, JSON", after, "changed_run.json")
    if after.attention is None:
        return
    left, right = st.columns(2, gap="large")
    sides = ((left, "before", view.named_run), (right, "after", changed_run))
    for column, name, named in sides:
        trace = named.value
        with column:
            chart(
                f"attention_{name}",
                draw(
                    figures.attention,
                    named,
                    selected=min(view.step, len(trace.target) - 1),
                    dark=is_dark(),
                ),
                f"Attention {name}: {len(trace.target):,} output tokens, {len(trace.source):,} of "
                "the source. All weights are in the CSV.",
                partial(figures.attention_csv, trace),
            )
            sinks_note(trace)


def _trajectories(before: Named, after: Named) -> None:
    """Show the states of both sources on one projection, to see where their paths part."""
    from seq2seq import figures

    st.subheader("State trajectories", anchor=False, help=term_help("state trajectory"))
    side = st.segmented_control(
        "States of the",
        ("Encoder", "Decoder"),
        default="Encoder",
        required=True,
        key="pair_states",
        **URL,
    )
    chart(
        "pair_trajectories",
        draw(figures.paired_trajectories, before, after, side=side, dark=is_dark()),
        f"State trajectories of the {side.lower()} before and after, on one projection.",
        partial(figures.paired_trajectories_csv, before.value, after.value, side),
    )


def _probabilities(view: View, changed: Any, after: Trace) -> None:
    """Say what the changes did to the tokens that were chosen before, and what is written now."""
    forced = follow(changed, view.run.target.ids)
    if forced is None:
        return
    first = first_difference(view.run, after)
    steps = {edit.step for edit in changed.interventions.attention} | {view.step}
    steps |= set() if first is None else {first}
    for step in sorted(step for step in steps if step < len(view.run.target)):
        before, now = (
            math.exp(float(trace.log_probabilities[step])) for trace in (view.run, forced)
        )
        st.markdown(
            f"Step {step + 1}: {quoted(shown(view.run.target.pieces[step]))} had the probability "
            f"{before:.1%}, now {now:.1%}{written_now(after, step, first)}"
        )


def first_difference(before: Trace, after: Trace) -> int | None:
    """Return the first step at which two runs wrote different tokens, None for the same output."""
    pairs = zip_longest(before.target.ids, after.target.ids)
    return next((step for step, (old, new) in enumerate(pairs) if old != new), None)


def written_now(after: Trace, step: int, first: int | None) -> str:
    """Say what a changed run writes at a step; first: where it left what was written before.

    A beam may write what is not the most probable token of its step, for the sake of those that
    follow; and after the first difference the two runs no longer have the same beginning.
    """
    if first is None or step < first:
        return "; it is still written."
    if step > first:
        return (
            f", after the same tokens as before; the changed output left them at step {first + 1}."
        )
    if step >= len(after.target):
        return "; the output now ends before it."
    piece, chance = after.target.pieces[step], math.exp(float(after.log_probabilities[step]))
    said = f"; now {quoted(shown(piece))} is written ({chance:.1%})."
    if rank := int(after.ranks[step]):
        best = quoted(shown(after.alternatives.pieces[step][0]))
        said += (
            f" It is number {rank + 1} of its step, behind {best}: the search preferred it for the "
            "tokens that follow."
        )
    return said
