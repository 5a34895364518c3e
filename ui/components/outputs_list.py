"""Hypotheses below each other; differences from the best one are marked, a click selects one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import SequenceMatcher
from typing import Any

import streamlit as st

from seq2seq.trace import Output
from ui.page import is_dark

_OUTPUTS_LIST = st.components.v2.component(
    "outputs_list",
    html='<div class="list" role="group" aria-label="Hypotheses"></div>',
    css="""
.list { font: 400 1rem/1.35 var(--st-font); color: var(--st-text-color); display: grid;
  grid-template-columns: minmax(0, 1fr) auto auto auto; align-items: stretch; row-gap: 2px; }
.list > * { display: flex; align-items: center; padding: 3px 8px; min-height: 28px; }
.head { font-size: 0.85rem; }
.number { justify-content: flex-end; font-variant-numeric: tabular-nums; white-space: nowrap; }
button { font: inherit; color: inherit; background: none; border: 1px solid transparent;
  border-radius: 6px; cursor: pointer; text-align: start; }
.select { gap: 8px; }
.select[aria-pressed=true] { border-color: #1f7a35;
  background: var(--st-secondary-background-color); }
.select b { flex: none; min-width: 1.2em; border-bottom: 3px solid transparent; }
.select span { overflow-wrap: anywhere; }
u { text-decoration-thickness: 2px; text-underline-offset: 3px; }
u.first { font-weight: 600; text-decoration-thickness: 3px; }
.remove { border-color: var(--st-border-color); min-width: 28px; justify-content: center;
  margin-left: 4px; }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
    js="""
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const make = (kind, content, name) => {
    const made = document.createElement(kind);
    made.textContent = content;
    if (name) made.className = name;
    return made;
  };
  const cells = ["output", "log P", "score", ""].map(
    (name, index) => make("div", name, "head" + (index ? " number" : "")));
  data.rows.forEach((row, index) => {
    const select = make("button", "", "select");
    select.type = "button";
    select.setAttribute("aria-pressed", String(row.name === data.shown));
    select.title = "Select this hypothesis";
    select.onclick = () => setTriggerValue("selected", index);
    const name = make("b", row.name);
    if (row.tint) name.style.borderBottomColor = row.tint;
    const text = document.createElement("span");
    text.dir = "auto";
    text.append(...row.parts.map((part) => part.mark
      ? make("u", part.text, part.mark) : document.createTextNode(part.text)));
    select.append(name, text);
    const last = row.removable ? make("button", "×", "remove") : make("div", "");
    if (row.removable) {
      last.type = "button";
      last.setAttribute("aria-label", "Remove branch " + row.name);
      last.title = "Remove branch " + row.name;
      last.onclick = () => setTriggerValue("removed", index);
    }
    cells.push(select, make("div", row.log, "number"), make("div", row.score, "number"), last);
  });
  parentElement.querySelector(".list").replaceChildren(...cells);
}
""",
)


def outputs_list(
    key: str,
    outputs: Mapping[str, Output],
    shown: str,
    on_select: Callable[[str], Any],
    on_remove: Callable[[str], Any] | None = None,
) -> None:
    """Show outputs by their names, the first one being that which the others are compared with.

    shown: the name of the one that is looked at. on_select, on_remove: called with a name; what is
    named by a letter can be removed.
    """
    from seq2seq.figures.beam_tree import tints

    names = list(outputs)
    best, colours = next(iter(outputs.values())), tints(is_dark())

    def chosen(event: str, use: Callable[[str], Any]) -> Callable[[], None]:
        def call() -> None:
            number = st.session_state[key][event]
            if isinstance(number, int) and 0 <= number < len(names):
                use(names[number])

        return call

    rows = [
        {
            "name": name,
            "parts": text_parts(_pieces(each), _pieces(best)),
            "log": f"{each.log_probability:.2f}",
            "score": f"{each.score:.3f}",
            "tint": colours.get(name, ""),
            "removable": on_remove is not None and not name.isdigit(),
        }
        for name, each in outputs.items()
    ]
    _OUTPUTS_LIST(
        key=key,
        data={"rows": rows, "shown": shown},
        on_selected_change=chosen("selected", on_select),
        on_removed_change=chosen("removed", on_remove or on_select),
    )


def text_parts(pieces: tuple[str, ...], other: tuple[str, ...]) -> list[dict[str, str]]:
    """Return pieces as parts of a text; those that are not in the other one have a mark.

    mark: "first" for the first place that differs, which may be one where something is missing,
    "more" for the others, "" for what is alike.
    """
    marks = [""] * len(pieces)
    first = "first"
    for kind, _, _, start, stop in SequenceMatcher(None, other, pieces, False).get_opcodes():
        if kind == "equal":
            continue
        stop = max(stop, start + 1)  # where something is missing, what comes instead
        marks[start:stop] = [first] * len(marks[start:stop])
        first = "more"
    parts: list[dict[str, str]] = []
    for piece, mark in zip(pieces, marks, strict=True):
        text = piece.replace("▁", " ")
        if mark and text.startswith(" "):  # no line below the gap between two words
            parts.append({"text": " ", "mark": ""})
            text = text[1:]
        parts.append({"text": text, "mark": mark})
    return parts


def _pieces(output: Output) -> tuple[str, ...]:
    return output.pieces[:-1] if output.finished else output.pieces
