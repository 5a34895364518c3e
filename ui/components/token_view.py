"""Source and output as rows of tokens: what a step looked at, who looked at a source token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from seq2seq.trace import Tokens, Trace, shown
from ui.components.events import on_number
from ui.page import is_dark

# Colours that a weight can take; and the most weights that are sent along for the hover.
SHADES, WEIGHTS = 24, 60_000

_READING = st.components.v2.component(
    "token_view",
    html='<p class="text"></p><div class="source tokens" role="group"></div>'
    '<div class="target tokens" role="group"></div>',
    css="""
.text { font: 600 1.35rem/1.4 var(--st-font); color: var(--st-text-color); margin: 0 0 8px;
  overflow-wrap: anywhere; }
.tokens { display: flex; flex-wrap: wrap; row-gap: 6px; font-family: var(--st-font); }
.tokens[hidden] { display: none; }
.source.tokens { margin-bottom: 10px; }
.token { border: 2px solid transparent; border-radius: 4px; padding: 2px 5px; min-height: 30px;
  min-width: 24px; font: inherit; font-size: 1rem; box-sizing: border-box; text-align: center; }
.long .token { padding: 1px 2px; min-height: 24px; font-size: 0.95rem; }
.token.starts:not(:first-child) { margin-left: 6px; }
.long .token.starts:not(:first-child) { margin-left: 2px; }
.token.selected { border-color: #1f7a35; box-shadow: 0 0 0 1px #fff; }
.source .token.selected { border-color: #9c6d9b; }
.token.lit { outline: 3px solid var(--st-primary-color); outline-offset: -1px; }
.token.looks { box-shadow: 0 3px 0 0 var(--st-primary-color); }
button.token { cursor: pointer; }
button.token:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
    js="""
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const text = parentElement.querySelector(".text");
  text.textContent = data.text;
  text.hidden = !data.text;
  text.dir = "auto";
  const source = parentElement.querySelector(".source");
  const target = parentElement.querySelector(".target");
  const chips = (group, side, selected) => {
    group.hidden = !side.tokens.length;
    group.setAttribute("aria-label", side.label);
    group.classList.toggle("long", side.tokens.length > 60);
    group.replaceChildren(...side.tokens.map((token, index) => {
      const chip = document.createElement(data.selectable ? "button" : "span");
      chip.textContent = token.text;
      chip.title = token.title;
      chip.className = "token" + (token.starts ? " starts" : "");
      if (data.selectable) {
        chip.type = "button";
        chip.classList.toggle("selected", index === selected);
        chip.setAttribute("aria-pressed", String(index === selected));
        chip.onclick = () => setTriggerValue(side.event, index);
      }
      return chip;
    }));
    return [...group.children];
  };
  const sources = chips(source, data.source, data.word);
  const targets = chips(target, data.target, data.step);
  targets.forEach((chip, index) => {
    [chip.style.background, chip.style.color] = data.target.tokens[index].colours;
  });
  const shade = (row) => sources.forEach((chip, index) => {
    [chip.style.background, chip.style.color] = row ? data.shades[row[index]] : ["", ""];
  });
  const rest = () => {
    shade(data.resting);
    targets.forEach((chip) => chip.classList.remove("looks"));
  };
  rest();
  // A cell of a matrix that is hovered over lights its two tokens.
  text.light = (lit) => [["source", sources], ["target", targets]].forEach(([side, tokens]) =>
    tokens.forEach((chip, index) => chip.classList.toggle("lit",
      lit.some(([of, first, end]) => of === side && index >= first && index < end))));
  if (!text.listens) {
    text.listens = true;
    const listen = ({ detail }) => text.isConnected ? text.light(detail)
      : window.removeEventListener("seq2seq:light", listen);
    window.addEventListener("seq2seq:light", listen);
  }
  if (!data.weights) return;
  targets.forEach((chip, index) => {
    chip.onmouseenter = chip.onfocus = () => shade(data.weights[index]);
    chip.onmouseleave = chip.onblur = rest;
  });
  sources.forEach((chip, index) => {
    chip.onmouseenter = chip.onfocus = () => targets.forEach((other, step) => {
      other.classList.toggle("looks", data.weights[step][index] >= data.much);
    });
    chip.onmouseleave = chip.onblur = rest;
  });
}
""",
)


class SourceRow(NamedTuple):
    """The source's tokens above an output.

    weights (target, source): how they are shaded for the marked step; hovering over an output token
    shows its own. word: the marked one. on_word: called with the number of one that was clicked.
    """

    weights: np.ndarray
    word: int | None
    on_word: Callable[[int], Any]


def token_view(
    trace: Trace,
    key: str,
    step: int | None = None,
    on_step: Callable[[int], Any] = int,
    source: SourceRow | None = None,
    heading: bool = True,
) -> None:
    """Show the output and its tokens, the more probable the stronger, below the source's tokens.

    step: the marked output token; None means that none can be chosen. on_step: called with the
    number of one that was clicked. source: None to leave it away. heading: the output's text stands
    above.
    """
    from seq2seq.figures.theme import mix, palette

    colours = palette(is_dark())
    target = _target(trace)
    above = _source(trace, source, step)
    _READING(
        key=key,
        data={
            "text": trace.text if heading else "",
            "target": {
                "tokens": target,
                "label": "Output tokens, shaded by probability",
                "event": "step",
            },
            "shades": [_colours(mix(colours.attention, i / SHADES)) for i in range(SHADES + 1)],
            "much": SHADES // 4,
            **above,
            "selectable": step is not None,
            "step": step,
            "word": source.word if source else None,
        },
        on_step_change=on_number(key, "step", len(target), on_step),
        on_word_change=on_number(key, "word", len(trace.source), source.on_word if source else int),
    )


def _source(trace: Trace, source: SourceRow | None, step: int | None) -> dict[str, Any]:
    """Return the source's tokens and how they are shaded, as the component takes them."""
    levels, resting = None, None
    if source is not None:
        levels = np.clip(np.rint(source.weights * SHADES), 0, SHADES).astype(int)
        resting = None if step is None else levels[step].tolist()
    return {
        "source": {
            "tokens": [] if source is None else _tokens(trace.source),
            "label": "Source tokens, shaded by attention",
            "event": "word",
        },
        "weights": None if levels is None or levels.size > WEIGHTS else levels.tolist(),
        "resting": resting,
    }


def _target(trace: Trace) -> list[dict[str, Any]]:
    from seq2seq.figures.theme import mix, palette

    scale, tokens = palette(is_dark()).probability, _tokens(trace.target)
    for number, probability in enumerate(trace.probabilities.tolist()):
        tokens[number]["title"] = f"step {number + 1}, probability {probability:.1%}"
        tokens[number]["colours"] = _colours(mix(scale, probability))
    return tokens


def _colours(background: str) -> tuple[str, str]:
    """Return a background, and what is readable on it."""
    from seq2seq.figures.theme import readable_on

    return background, readable_on(background)


def _tokens(tokens: Tokens) -> list[dict[str, Any]]:
    numbers = tokens.words
    return [
        {
            "text": shown(piece),
            "title": f"source token {index + 1}",
            "starts": index == 0 or numbers[index] != numbers[index - 1],
        }
        for index, piece in enumerate(tokens.pieces)
    ]
