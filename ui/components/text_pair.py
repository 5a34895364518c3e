"""A text to be read, beside what was made of it: shaded, underlined, and each word to be chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st

from ui.components.events import on_number
from ui.page import is_dark

SHADES = 24  # colours that a share can take

_PASSAGE = st.components.v2.component(
    "text_pair",
    html="""
<div class="columns">
  <section class="made"><h3></h3><p class="text" role="group"></p></section>
  <section class="from"><h3></h3><div class="box"><p class="text" role="group"></p></div></section>
</div>
<ul class="legend"></ul>""",
    css="""
.columns { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 12px 32px;
  font-family: var(--st-font); color: var(--st-text-color); }
@media (max-width: 640px) { .columns { grid-template-columns: minmax(0, 1fr); } }
h3 { font: 600 1.15rem/1.4 var(--st-font); margin: 0 0 6px; }
.text { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.made .text { font-size: 1.2rem; line-height: 1.7; }
.from .text { font-size: 1rem; line-height: 1.75; }
.box { max-height: 27rem; overflow-y: auto; border: 1px solid var(--st-border-color);
  border-radius: 8px; padding: 8px 14px; }
.word { border-radius: 3px; padding: 1px 1px; margin: 0 -1px; }
.word[role=button] { cursor: pointer; }
.word.run, .word.alone { text-decoration: underline 2px; text-underline-offset: 3px; }
.word.alone { text-decoration-style: dotted; }
.word.selected { box-shadow: 0 0 0 2px #1f7a35, 0 0 0 3px #fff; }
.from .word.selected { box-shadow: 0 0 0 2px #9c6d9b, 0 0 0 3px #fff; }
.word.looks { background: var(--st-primary-color); color: #fff; }
.word:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.unread { opacity: 0.65; font-style: italic; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 10px 0 0;
  padding: 0; font: 400 0.9rem/1.5 var(--st-font); color: var(--st-text-color); }
.legend li { display: flex; align-items: center; gap: 6px; margin: 0; }
.bar { display: inline-block; width: 72px; height: 12px; border-radius: 3px;
  border: 1px solid var(--st-border-color); }
""",
    js="""
export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const find = (name) => parentElement.querySelector(name);
  const made = find(".made .text"), from = find(".from .text"), box = find(".box");
  find(".made h3").textContent = data.made.title;
  find(".from h3").textContent = data.from.title;

  const write = (place, side) => {
    place.dir = "auto";
    place.setAttribute("aria-label", side.label);
    const held = [...place.querySelectorAll(".word")].indexOf(place.getRootNode().activeElement);
    const parts = [], words = [];
    side.words.forEach(([text, gap, mark], index) => {
      const word = document.createElement("span");
      word.textContent = text;
      word.className = "word " + ["", "alone", "run"][mark];
      word.setAttribute("role", "button");
      word.setAttribute("aria-pressed", String(index === side.selected));
      word.classList.toggle("selected", index === side.selected);
      word.tabIndex = index === Math.max(0, side.selected ?? 0) ? 0 : -1;
      words.push(word);
      parts.push(word, gap);
    });
    if (side.rest) {
      const rest = document.createElement("span");
      rest.className = "unread";
      rest.textContent = side.rest;
      parts.push(rest);
    }
    place.replaceChildren(...parts);
    if (held >= 0 && words[held]) words[held].focus({ preventScroll: true });
    const indexOf = (event) => words.indexOf(event.target.closest(".word"));
    const choose = (event) => {
      const index = indexOf(event);
      if (index >= 0) setTriggerValue(side.event, index);
    };
    place.onclick = choose;
    // One stop of the Tab key for the whole text; arrows go from word to word.
    place.onkeydown = (event) => {
      const index = indexOf(event);
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (index < 0) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        choose(event);
      } else if (step && words[index + step]) {
        event.preventDefault();
        words[index].tabIndex = -1;
        words[index + step].tabIndex = 0;
        words[index + step].focus();
      }
    };
    return words;
  };
  const mades = write(made, data.made), froms = write(from, data.from);

  const shade = (row) => {
    const levels = new Map(row);
    froms.forEach((word, index) => {
      [word.style.background, word.style.color] = data.shades[levels.get(index) ?? 0];
    });
  };
  const lookers = (index) => mades.forEach((word, row) => {
    const entry = data.rows && data.rows[row].find(([place]) => place === index);
    word.classList.toggle("looks", Boolean(entry) && entry[1] >= data.much);
  });
  const rest = () => { shade(data.resting); lookers(data.from.selected ?? -1); };
  rest();
  const over = (place, words, show) => {
    const enter = (event) => {
      const index = words.indexOf(event.target.closest?.(".word"));
      if (index >= 0) show(index); else rest();
    };
    place.onmouseover = data.rows && enter;
    place.onmouseleave = data.rows && rest;
    if (data.rows) words.forEach((word) => { word.onfocus = enter; word.onblur = rest; });
  };
  over(made, mades, (index) => shade(data.rows[index]));
  over(from, froms, lookers);

  const legend = find(".legend");
  legend.replaceChildren(...data.legend.map(([kind, text]) => {
    const line = document.createElement("li"), sample = document.createElement("span");
    if (kind === "bar") {
      sample.className = "bar";
      sample.style.background = `linear-gradient(to right, ${data.scale.join(", ")})`;
    } else {
      sample.className = kind === "unread" ? kind : "word " + kind;
      sample.textContent = "word";
    }
    line.append(sample, text);
    return line;
  }));

  // A word that was chosen shows what it looked at, wherever in a long text that is.
  const strongest = data.resting.reduce((best, each) => (each[1] > best[1] ? each : best), [-1, 0]);
  if (data.follows && strongest[0] >= 0) {
    const word = froms[strongest[0]];
    box.scrollTop += word.getBoundingClientRect().top - box.getBoundingClientRect().top
      - box.clientHeight / 3;
  }
}
""",
)


class MarkedWord(NamedTuple):
    """A word as it is written, and what follows it. mark: 0, 1 copied word, 2 copied phrase."""

    text: str
    gap: str
    mark: int


class MarkedText(NamedTuple):
    """One of two texts. selected: number of the chosen word; rest: what the model has not read."""

    title: str
    label: str
    words: list[MarkedWord]
    selected: int | None
    rest: str = ""


Shades = list[tuple[int, int]]  # source words to shade, as (number, level up to SHADES)


class Shading(NamedTuple):
    """How the source is shaded.

    rows: for each word made, while it is hovered over; None where that is not known. resting: for
    the rest of the time. most: what the darkest stands for. follows: the source is scrolled to its
    darkest word.
    """

    rows: list[Shades] | None
    resting: Shades
    most: str
    follows: bool


def text_pair(
    key: str,
    made: MarkedText,
    source: MarkedText,
    on_made: Callable[[int], Any],
    on_source: Callable[[int], Any],
    shading: Shading,
) -> None:
    """Show what was made beside what it was made from.

    on_made, on_source: called with the number of a word that was chosen.
    """
    from seq2seq.figures.theme import mix, palette, readable_on

    colours = palette(is_dark()).attention
    shades = [mix(colours, level / SHADES) for level in range(SHADES + 1)]
    _PASSAGE(
        key=key,
        data={
            "made": {**made._asdict(), "event": "made"},
            "from": {**source._asdict(), "event": "source"},
            "shades": [("", ""), *((shade, readable_on(shade)) for shade in shades[1:])],
            "scale": [colour for _, colour in colours],
            "much": SHADES // 4,
            "rows": shading.rows,
            "resting": shading.resting,
            "legend": _legend(source, shading),
            "follows": shading.follows,
        },
        on_made_change=on_number(key, "made", len(made.words), on_made),
        on_source_change=on_number(key, "source", len(source.words), on_source),
    )


def _legend(source: MarkedText, shading: Shading) -> list[tuple[str, str]]:
    marks = {word.mark for word in source.words}
    legend = [("bar", shading.most)] if shading.rows is not None else []
    legend += [("run", "copied phrase")] if 2 in marks else []
    legend += [("alone", "copied word")] if 1 in marks else []
    return legend + ([("unread", "not read by the model")] if source.rest.strip() else [])
