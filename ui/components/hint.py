"""A hint for the first visit: what was closed once stays closed in this browser."""

from __future__ import annotations

import streamlit as st

_HINT = st.components.v2.component(
    "hint",
    html='<div class="hint" role="note" hidden><span></span>'
    '<button type="button" aria-label="Close this hint">Got it</button></div>',
    css="""
.hint { display: flex; gap: 12px; align-items: center; justify-content: space-between;
  font: 400 0.95rem/1.4 var(--st-font); color: var(--st-text-color); border-radius: 8px;
  border: 1px solid var(--st-border-color); background: var(--st-secondary-background-color);
  padding: 6px 6px 6px 14px; }
.hint[hidden] { display: none; }
button { font: 400 0.95rem var(--st-font); color: var(--st-text-color); cursor: pointer;
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: 8px; padding: 0 12px; min-height: 36px; white-space: nowrap; }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
    js="""
export default function (component) {
  const { data, parentElement } = component;
  const hint = parentElement.querySelector(".hint");
  const name = "seq2seq-hint-" + data.name;
  const closed = () => { try { return localStorage.getItem(name); } catch { return null; } };
  hint.querySelector("span").textContent = data.text;
  hint.hidden = Boolean(closed());
  hint.querySelector("button").onclick = () => {
    try { localStorage.setItem(name, "closed"); } catch { /* a browser that keeps nothing */ }
    hint.hidden = true;
  };
}
""",
)


def hint(name: str, text: str) -> None:
    """Show a sentence until the visitor closes it, for good. name: of the hint."""
    _HINT(key=f"hint {name}", data={"name": name, "text": text})
