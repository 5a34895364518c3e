"""Small parts of the page that Streamlit does not have. Text goes in by textContent only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from seq2seq.trace import Trace, shown

_OUTPUT = st.components.v2.component(
    "output_tokens",
    html='<p class="text"></p><div class="tokens" role="group"></div>',
    css="""
.text { font: 600 1.35rem/1.4 var(--st-font); color: var(--st-text-color); margin: 0 0 8px;
  overflow-wrap: anywhere; }
.tokens { display: flex; flex-wrap: wrap; row-gap: 6px; font-family: var(--st-font); }
.token { border: 2px solid transparent; border-radius: 4px; padding: 2px 5px; min-height: 30px;
  min-width: 24px; font: inherit; font-size: 1rem; box-sizing: border-box; text-align: center; }
.token.starts:not(:first-child) { margin-left: 6px; }
.token.selected { border-color: #1f7a35; box-shadow: 0 0 0 1px #fff; }
button.token { cursor: pointer; }
button.token:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
    js="""
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const text = parentElement.querySelector(".text");
  text.textContent = data.text;
  text.dir = "auto";
  const group = parentElement.querySelector(".tokens");
  group.setAttribute("aria-label", data.label);
  group.replaceChildren(...data.tokens.map((token, index) => {
    const chip = document.createElement(data.selectable ? "button" : "span");
    chip.textContent = token.text;
    chip.title = token.title;
    chip.className = "token" + (token.starts ? " starts" : "");
    chip.style.background = token.background;
    chip.style.color = token.ink;
    if (data.selectable) {
      const selected = index === data.selected;
      chip.classList.toggle("selected", selected);
      chip.setAttribute("aria-pressed", String(selected));
      chip.onclick = () => setTriggerValue("step", index);
    }
    return chip;
  }));
}
""",
)

_COPY_LINK = st.components.v2.component(
    "copy_link",
    html='<button class="copy" type="button">Copy link</button>',
    css="""
.copy { font: 400 1rem var(--st-font); color: var(--st-text-color); cursor: pointer;
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: 8px; padding: 0 12px; min-height: 40px; white-space: nowrap; }
.copy:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
    js="""
export default function (component) {
  const button = component.parentElement.querySelector(".copy");
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(window.location.href);
      button.textContent = "Link copied";
    } catch {
      window.prompt("Copy this link", window.location.href);
    }
    setTimeout(() => { button.textContent = "Copy link"; }, 2000);
  };
}
""",
)


def copy_link() -> None:
    """Offer the address of the page as it stands, all controls included."""
    _COPY_LINK(key="copy_link", width="content")


def is_dark() -> bool:
    """Tell whether the visitor's page is dark."""
    return st.context.theme.type == "dark"


def output_tokens(
    trace: Trace, key: str, selected: int | None = None, on_select: Callable[[int], Any] = int
) -> None:
    """Show the output and its tokens, the more probable the stronger.

    selected: the marked step, None where steps cannot be chosen. on_select: called with the step
    of a token that was clicked.
    """
    from seq2seq.figures.palette import mix, palette, readable_on

    scale = palette(is_dark()).probability
    tokens = []
    for step, probability in enumerate(trace.probabilities.tolist()):
        background, words = mix(scale, probability), trace.target.words
        tokens.append(
            {
                "text": shown(trace.target.pieces[step]),
                "title": f"step {step + 1}, probability {probability:.1%}",
                "starts": step == 0 or words[step] != words[step - 1],
                "background": background,
                "ink": readable_on(background),
            }
        )

    def select() -> None:
        step = st.session_state[key].step
        if step is not None and 0 <= step < len(tokens):
            on_select(step)

    _OUTPUT(
        key=key,
        data={
            "text": trace.text,
            "tokens": tokens,
            "label": "Output tokens, shaded by probability",
            "selectable": selected is not None,
            "selected": selected,
        },
        on_step_change=select,
    )
