"""From input to output: the stages of a model with their formulas and shapes, and as a diagram."""

from __future__ import annotations

from typing import NamedTuple

from seq2seq.analysis.model_outline import Outline
from seq2seq.figures.step_formulas import CELL_NAMES, encoder_formula


class Stage(NamedTuple):
    """name: of what is done. formula: in plain text. shape: of what comes out of it."""

    name: str
    formula: str
    shape: str
    meaning: str


def workflow(outline: Outline, source: int | None = None) -> tuple[Stage, ...]:
    """Return the stages of a model that reads tokens; source: tokens of an input, None for T."""
    length = "T" if source is None else f"{source}"
    embedding = Stage(
        "Embed",
        "x_j = E[token j]",
        f"{length} × {outline.embedding}",
        "each id picks a row of a matrix that was learnt",
    )
    encoder = Stage(
        "Encode",
        encoder_formula(outline),
        f"{length} × {outline.width}",
        "each state knows its token and what was read around it",
    )
    tokens = Stage(
        "Tokenize",
        "text → x_1 … x_T",
        f"{length} of {outline.vocabulary:,} ids",
        "the text is cut into pieces that the model knows",
    )
    return tokens, embedding, encoder, *repeated(outline, length)


def repeated(outline: Outline, length: str = "T") -> tuple[Stage, ...]:
    """Return the stages of every decoding step, in the order in which the model takes them."""
    context, decoder = _context(outline, length), _decoder(outline)
    looks_later = outline.feeds in ("token", "readout") and outline.attention != "none"
    read = "s_t" if outline.readout == outline.width and outline.attention == "none" else "r_t"
    read = "s_t" if outline.kind == "transformer" else read
    bias = " + b_o" if outline.output_bias else ""
    return (
        *((decoder, context) if looks_later else (context, decoder)),
        Stage(
            "Output",
            f"ŷ_t = softmax(W_o {read}{bias})",
            f"{outline.vocabulary:,} probabilities",
            "how probable each token of the vocabulary is next",
        ),
        Stage(
            "Choose",
            "y_t from ŷ_t",
            "1 id",
            "it is written, and read in the next step, until it is </s>",
        ),
    )


def _context(outline: Outline, length: str) -> Stage:
    if outline.attention == "none":
        meaning = "the final state is all that the decoder gets"
        if outline.kind == "lstm":
            meaning += ", with the cell state beside it"
        return Stage("Context", "c = h_T", f"{outline.width}", meaning)
    heads = f", {outline.heads} heads" if outline.heads > 1 else ""
    formula, meaning = "c_t = Σ α_{tj} h_j", "in each step, a weighted mean of all encoder states"
    if outline.kind == "transformer":
        formula = "c_t = W Σ α_{tj} v_j"
        meaning = "in each step and head, a weighted mean of a value v_j of each encoder state"
    return Stage("Attention", formula, f"{length} weights{heads} → {outline.width}", meaning)


def _decoder(outline: Outline) -> Stage:
    if outline.kind == "transformer":
        formula, before = "s_t = Decoder(y_{<t}, c_t)", "all tokens written so far"
    else:
        gets = {"context": _fed(outline), "readout": "; r_{t−1}"}.get(outline.feeds, "")
        read = f"[y_{{t−1}}{gets}]" if gets else "y_{t−1}"
        formula = f"s_t = {CELL_NAMES[outline.kind]}({read}, s_{{t−1}})"
        before = "the token before and the state before"
    return Stage("Decode", formula, f"{outline.width}", f"the next state, from {before}")


def _fed(outline: Outline) -> str:
    return "; c" if outline.attention == "none" else "; c_t"


def mermaid(stages: tuple[Stage, ...]) -> str:
    """Return the stages as a flowchart in Mermaid, which Jupyter and GitHub draw."""
    boxes = [
        f'  s{place}["{_quoted(stage.name)}<br>{_quoted(stage.formula)}<br>{_quoted(stage.shape)}"]'
        for place, stage in enumerate(stages)
    ]
    arrows = [f"  s{place} --> s{place + 1}" for place in range(len(stages) - 1)]
    back = f'  s{len(stages) - 1} -- "y_t, until the end" --> s{_again(stages)}'
    return "\n".join(["flowchart TD", *boxes, *arrows, back])


def _quoted(text: str) -> str:
    """Write a text so that Mermaid takes nothing in it for its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "'")


def plain_text(stages: tuple[Stage, ...]) -> str:
    """Return the stages as lines of text, for those who see no diagram."""
    wide = [max(len(stage[part]) for stage in stages) for part in range(3)]
    lines = [
        f"{place}. {stage.name:{wide[0]}}  {stage.formula:{wide[1]}}  {stage.shape}".rstrip()
        for place, stage in enumerate(stages, start=1)
    ]
    return "\n".join([*lines, f"   and again from {_again(stages) + 1}, until the end is chosen"])


def _again(stages: tuple[Stage, ...]) -> int:
    """Return the place of the stage where each step begins; the one vector c is made once."""
    names = [stage.name for stage in stages]
    return min(names.index(name) for name in ("Attention", "Decode") if name in names)
