"""Two texts word by word: what was said above, what was heard below, a sign between them."""

from __future__ import annotations

import streamlit as st

from seq2seq.evaluation.word_errors import CORRECT, DELETED, INSERTED, SUBSTITUTED, Transcript
from ui.page import is_dark

SIGNS = {CORRECT: "=", SUBSTITUTED: "≠", DELETED: "−", INSERTED: "+"}
# Backgrounds on a light and a dark page; text on them keeps its colour, at least 7:1.
COLOURS = {
    CORRECT: ("transparent", "transparent"),
    SUBSTITUTED: ("#ffe3b0", "#5a3a00"),
    DELETED: ("#ffd3d0", "#6b1f1c"),
    INSERTED: ("#d5e6fb", "#173f6d"),
}

_DIFFERENCES = st.components.v2.component(
    "word_diff",
    html='<ol class="pairs"></ol>',
    css="""
.pairs { display: flex; flex-wrap: wrap; gap: 8px 6px; list-style: none; margin: 0; padding: 0;
  font: 400 1rem/1.35 var(--st-font); color: var(--st-text-color); }
.pairs li { display: grid; justify-items: center; border-radius: 6px; padding: 2px 7px;
  border: 1px solid var(--st-border-color); max-width: 100%; box-sizing: border-box; }
.pairs li.correct { border-color: transparent; }
.pairs span { overflow-wrap: anywhere; }
.sign { font-weight: 600; line-height: 1; }
.correct .sign { font-weight: 400; opacity: 0.75; }
""",
    js="""
export default function (component) {
  const { data, parentElement } = component;
  const list = parentElement.querySelector(".pairs");
  list.setAttribute("aria-label", data.label);
  list.replaceChildren(...data.pairs.map((pair) => {
    const item = document.createElement("li");
    item.className = pair.kind;
    item.title = pair.kind;
    item.style.background = pair.colour;
    item.append(...["said", "sign", "heard"].map((name) => {
      const part = document.createElement("span");
      part.className = name;
      part.textContent = pair[name] || "\\u00a0";
      return part;
    }));
    return item;
  }));
}
""",
)


def word_diff(
    transcript: Transcript,
    key: str,
    described: str = "The reference, word by word, and the output",
) -> None:
    """Show the words of two texts in pairs, the differences by sign and colour.

    described: what the texts are, for those who do not see them.
    """
    dark = is_dark()
    pairs = [
        {**pair._asdict(), "sign": SIGNS[pair.kind], "colour": COLOURS[pair.kind][dark]}
        for pair in transcript.pairs
    ]
    _DIFFERENCES(key=key, data={"pairs": pairs, "label": described})
