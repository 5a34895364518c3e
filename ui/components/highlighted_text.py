"""Lines of text in which some words are marked."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

_MARKED = st.components.v2.component(
    "highlighted_text",
    html='<dl class="lines"></dl>',
    css="""
.lines { margin: 0; font: 400 1rem/1.5 var(--st-font); color: var(--st-text-color);
  overflow-wrap: anywhere; display: grid; gap: 2px 20px;
  grid-template-columns: fit-content(40%) minmax(0, 1fr); }
@media (max-width: 640px) { .lines { display: block; } }
dt { font-weight: 600; }
dd { margin: 0 0 4px; }
mark { color: inherit; background: none; font-weight: 600; text-decoration: underline;
  text-decoration-thickness: 2px; text-underline-offset: 3px;
  text-decoration-color: var(--st-primary-color); }
""",
    js="""
export default function (component) {
  const { data, parentElement } = component;
  parentElement.querySelector(".lines").replaceChildren(...data.lines.flatMap(([name, parts]) => {
    const term = document.createElement("dt"), line = document.createElement("dd");
    term.textContent = name;
    line.dir = "auto";
    parts.forEach(([text, marked], index) => {
      const part = document.createElement(marked ? "mark" : "span");
      part.textContent = text;
      line.append(index ? " " : "", part);
    });
    return [term, line];
  }));
}
""",
)


def highlighted_text(key: str, lines: Sequence[tuple[str, Sequence[tuple[str, bool]]]]) -> None:
    """Show lines, each a name and parts of text with whether they are marked."""
    _MARKED(key=key, data={"lines": [[name, list(parts)] for name, parts in lines]})
