"""Changed rows of attention, as the address holds them."""

from __future__ import annotations

import re
from typing import NamedTuple

import streamlit as st

from seq2seq.decoding.interventions import AttentionEdit, Interventions
from seq2seq.errors import UserError
from seq2seq.trace import Trace, label
from ui.escape import quoted

EDIT = "edit"  # their name in the address
MOST = 8


class WrittenEdit(NamedTuple):
    """An edit as it stands in the address."""

    text: str
    edit: AttentionEdit


# One way to read each text: with two of them a long text takes for ever.
_FORM = re.compile(r"(\d{1,3})\.(a|\d{1,2})\.(a|\d{1,2})\.(\d{1,4}(?:_\d{1,4})*)", re.ASCII)


def written() -> list[WrittenEdit]:
    """Return the edits in the address; what is none is left out."""
    found = []
    for text in st.query_params.get_all(EDIT)[:MOST]:
        if match := _FORM.fullmatch(text):
            step, layer, head, weights = match.groups()
            values = tuple(int(part) / 1000 for part in weights.split("_"))
            place = [None if part == "a" else int(part) for part in (layer, head)]
            found.append(WrittenEdit(text, AttentionEdit(int(step), values, *place)))
    return found


def fitting(
    trace: Trace, muted: tuple[int, ...]
) -> tuple[list[WrittenEdit], dict[WrittenEdit, str]]:
    """Return the changes in the address that this run can have, and those that wait, with why.

    What fits no run of this source leaves the address: it is nonsense of a link.
    """
    layers, heads = (0, 0) if trace.attention is None else trace.attention.shape[1:3]
    edits: list[WrittenEdit] = []
    waiting: dict[WrittenEdit, str] = {}
    for each in written():
        step = each.edit.step
        try:
            Interventions((each.edit,)).check(len(trace.source), layers, heads)
        except UserError:
            remove(each.text)
            continue
        if step >= len(trace.target):
            waiting[each] = (
                f"The change of step {step + 1} is not applied: this output has "
                f"{len(trace.target):,} steps."
            )
        elif not any(weight for i, weight in enumerate(each.edit.weights) if i not in muted):
            waiting[each] = (
                f"The change of step {step + 1} is not applied: all its weight is on masked words."
            )
        else:
            edits.append(each)
    return edits, waiting


def add(edit: AttentionEdit) -> None:
    """Make a change; those that it covers are gone."""
    kept = [
        each.text
        for each in written()
        if each.edit.step != edit.step
        or edit.layer not in (None, each.edit.layer)
        or edit.head not in (None, each.edit.head)
    ]
    place = ("a" if value is None else str(value) for value in (edit.layer, edit.head))
    weights = "_".join(str(round(1000 * weight)) for weight in edit.weights)
    keep(EDIT, [*kept, ".".join([str(edit.step), *place, weights])][-MOST:])


def remove(text: str) -> None:
    """Take a change back."""
    keep(EDIT, [each.text for each in written() if each.text != text])


def show(trace: Trace, edits: list[WrittenEdit], waiting: dict[WrittenEdit, str]) -> None:
    """List the changed rows, each with a button that takes it back."""
    for number, each in enumerate([*edits, *waiting]):
        edit = each.edit
        best = max(range(len(edit.weights)), key=edit.weights.__getitem__)
        where = ", ".join(
            f"{name} {value + 1}"
            for name, value in (("layer", edit.layer), ("head", edit.head))
            if value is not None
        )
        text = f"Step {edit.step + 1} attends most to {quoted(label(trace.source.pieces[best]))}"
        text += f" in {where}." if where else "."
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(waiting.get(each, text))
            st.button(
                "Undo",
                key=f"undo_{number}",
                on_click=remove,
                args=(each.text,),
                icon=":material/undo:",
            )


def keep(name: str, value: str | list[str]) -> None:
    """Put a value into the address, or take the name out of it where there is none."""
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)
