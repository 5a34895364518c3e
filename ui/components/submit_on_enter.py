"""Enter in a box of several lines: it runs the page, as in a box of one line."""

from __future__ import annotations

import streamlit as st

# Streamlit's own box takes Control and Enter; that is what it is given instead.
_SUBMIT = st.components.v2.component(
    "submit_on_enter",
    html='<span hidden class="submit-on-enter"></span>',
    css=":has(> .submit-on-enter) { display: none; }",
    js="""
export default function (component) {
  const { data } = component;
  const submit = (event) => {
    const box = event.target;
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey) return;
    if (event.isComposing || !box.closest?.(".st-key-" + data.box)) return;
    event.preventDefault();
    event.stopPropagation();
    box.dispatchEvent(new KeyboardEvent("keydown", {
      key: "Enter", code: "Enter", keyCode: 13, which: 13, ctrlKey: true, bubbles: true,
      cancelable: true,
    }));
  };
  document.addEventListener("keydown", submit, true);
  return () => document.removeEventListener("keydown", submit, true);
}
""",
    isolate_styles=False,
)


def submit_on_enter(box: str) -> None:
    """Let Enter send the box of this key, and Shift and Enter begin a new line in it."""
    _SUBMIT(key=f"submit {box}", data={"box": box})
