"""Outputs of examples below each other, with what is wrong in them marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import streamlit as st

_MARKED_OUTPUTS = st.components.v2.component(
    "marked_outputs",
    html='<ol class="outputs" aria-label="Outputs of held-out examples"></ol>',
    css="""
.outputs { font: 400 0.9rem/1.4 var(--st-font); color: var(--st-text-color); list-style: none;
  margin: 0; padding: 0; }
.outputs li { padding: 5px 0;
  border-top: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.outputs li:first-child { border-top: 0; padding-top: 0; }
.outputs .source { font-family: var(--st-code-font); overflow-wrap: anywhere; }
.outputs .output { display: flex; gap: 6px; align-items: baseline; }
.outputs .name { flex: none; min-width: 1.1em; font-weight: 600; color: var(--hue); }
.outputs .text { font-family: var(--st-code-font); overflow-wrap: anywhere; flex: 1; }
.outputs .sign { flex: none; }
.outputs .right { color: var(--right); }
.outputs .wrong { text-decoration: underline wavy var(--wrong) 1.5px; text-underline-offset: 3px; }
.outputs { --right: light-dark(#1f7a35, #5fc977); --wrong: light-dark(#c02045, #ff8fa3); }
""",
    js="""
export default function (component) {
  const { data, parentElement } = component;
  const make = (kind, name, text) => {
    const made = document.createElement(kind);
    made.className = name;
    made.textContent = text;
    return made;
  };
  const list = parentElement.querySelector(".outputs");
  list.style.colorScheme = data.dark ? "dark" : "light";
  list.replaceChildren(...data.rows.map((row) => {
    const item = make("li", "", "");
    const source = make("div", "source", row.source);
    source.dir = "auto";
    item.append(source, ...row.outputs.map((output) => {
      const line = make("div", "output", "");
      line.style.setProperty("--hue", output.hue);
      const text = make("span", "text", "");
      text.dir = "auto";
      text.append(...output.parts.map((part) =>
        make("span", part.wrong ? "wrong" : "", part.text)));
      const sign = make("span", "sign" + (output.right ? " right" : ""), output.right ? "✓" : "✗");
      sign.setAttribute("role", "img");
      sign.setAttribute("aria-label", output.right ? "right" : "wrong");
      line.append(make("span", "name", output.name), text, sign);
      return line;
    }));
    return item;
  }));
}
""",
)


class Part(NamedTuple):
    """A piece of an output. wrong: another one was wanted at its place."""

    text: str
    wrong: bool


@dataclass(frozen=True)
class MarkedOutput:
    """What one model wrote. right: all of it is as it should be."""

    name: str
    parts: tuple[Part, ...]
    right: bool


@dataclass(frozen=True)
class MarkedRow:
    """One example, and what each model wrote."""

    source: str
    outputs: tuple[MarkedOutput, ...]


def marked_outputs(key: str, rows: Sequence[MarkedRow], dark: bool) -> None:
    """Show examples with their outputs. Names have the colours of the models' curves."""
    from seq2seq.figures.curves import ON_DARK, ON_LIGHT

    hues = ON_DARK if dark else ON_LIGHT
    shown = [
        {
            "source": row.source,
            "outputs": [
                asdict(output) | {"parts": [part._asdict() for part in output.parts], "hue": hue}
                for hue, output in zip(hues, row.outputs, strict=False)
            ],
        }
        for row in rows
    ]
    _MARKED_OUTPUTS(key=key, data={"rows": shown, "dark": dark})


def marked(name: str, output: Sequence[str], target: Sequence[str]) -> MarkedOutput:
    """Compare an output with its target, piece by piece; what is missing is shown as ∅."""
    parts = [
        Part(piece.replace("▁", " "), place >= len(target) or target[place] != piece)
        for place, piece in enumerate(output)
    ]
    parts += [Part(" ∅", True)] * max(0, len(target) - len(output))
    return MarkedOutput(name, tuple(parts), tuple(output) == tuple(target))
