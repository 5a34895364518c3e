"""Rows of tokens, each with a note below it; a click chooses one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st


@dataclass(frozen=True)
class Chip:
    """A token. note: below it. title: on hover. colour, ink: of it, "" for none. mark: before it.

    starts: a word begins here.
    """

    text: str
    note: str = ""
    title: str = ""
    colour: str = ""
    ink: str = ""
    mark: str = ""
    starts: bool = True


@dataclass(frozen=True)
class Row:
    """Tokens below a label. event: names the row to `on_choose`, "" where none can be chosen.

    selected: the framed token.
    """

    event: str
    label: str
    chips: Sequence[Chip]
    selected: int | None = None


_TOKEN_ROWS = st.components.v2.component(
    "token_rows",
    html='<div class="rows"></div>',
    css="""
.rows { font: 400 1rem/1.3 var(--st-font); color: var(--st-text-color); }
.label { font-weight: 600; margin: 0 0 4px; }
.row { display: flex; flex-wrap: wrap; gap: 6px 3px; margin-bottom: 14px; align-items: flex-start; }
.chip { display: flex; flex-direction: column; align-items: center; gap: 1px; padding: 0;
  border: 0; background: none; color: inherit; font: inherit; min-width: 26px; }
.chip.starts:not(:first-child) { margin-left: 5px; }
.face { border: 2px solid transparent; border-radius: 4px; padding: 3px 6px; min-width: 24px;
  min-height: 24px; box-sizing: border-box; text-align: center; white-space: pre; }
.note { font-size: 0.78rem; white-space: pre-line; text-align: center; max-width: 9rem;
  overflow-wrap: anywhere; }
.mark { font-weight: 700; align-self: flex-start; padding: 4px 4px 4px 8px;
  border-left: 3px dashed var(--st-text-color); font-size: 0.85rem; }
button.chip { cursor: pointer; border-radius: 4px; }
button.chip[aria-pressed=true] .face { border-color: #1f7a35; box-shadow: 0 0 0 1px #fff; }
button.chip:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
    js="""
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const part = (kind, name, text) => {
    const found = document.createElement(kind);
    found.className = name;
    found.textContent = text;
    return found;
  };
  parentElement.querySelector(".rows").replaceChildren(...data.rows.flatMap((row, number) => {
    const group = part("div", "row", "");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", row.label);
    row.chips.forEach((chip, index) => {
      if (chip.mark) group.append(part("span", "mark", chip.mark));
      const clickable = data.clickable && row.event;
      const token = part(clickable ? "button" : "span", "chip", "");
      const face = part("span", "face", chip.text);
      [face.style.background, face.style.color] = [chip.colour, chip.ink];
      token.append(face);
      if (chip.note) token.append(part("span", "note", chip.note));
      token.title = chip.title;
      token.classList.toggle("starts", chip.starts);
      if (clickable) {
        token.type = "button";
        token.setAttribute("aria-pressed", String(index === row.selected));
        token.onclick = () => setTriggerValue("chosen", [number, index]);
      }
      group.append(token);
    });
    return [part("div", "label", row.label), group];
  }));
}
""",
)


def token_rows(
    key: str, rows: Sequence[Row], on_choose: Callable[[str, int], Any] | None = None
) -> None:
    """Show rows of tokens; on_choose is called with the row's event and the token's number."""

    def choose() -> None:
        number, index = st.session_state[key].chosen or (-1, -1)
        if on_choose and 0 <= number < len(rows) and 0 <= index < len(rows[number].chips):
            on_choose(rows[number].event, index)

    data = {"rows": [asdict(row) for row in rows], "clickable": on_choose is not None}
    _TOKEN_ROWS(key=key, data=data, on_chosen_change=choose)
