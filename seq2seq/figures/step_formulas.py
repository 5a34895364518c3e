"""The formulas of one step with its numbers in them, in the order in which the model computes them.

Written in plain text, with `_` before a subscript: s_t, or s_{t−1}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seq2seq.trace import Trace, label

if TYPE_CHECKING:
    from seq2seq.analysis.model_outline import Outline
    from seq2seq.analysis.run_internals import RunInternals

CELL_NAMES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
SHOWN = 2  # source positions of a step that formulas name

Line = dict[str, str]


class Symbols(NamedTuple):
    """What formulas are written of: a run, and what is known of its model beside it."""

    trace: Trace
    outline: Outline | None = None
    internals: RunInternals | None = None


def number(value: float) -> str:
    """Write a number in three digits that matter, with a minus sign."""
    text = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return text.replace("-", "−")


def exact(value: float) -> str:
    """Write a number with two decimals, with a minus sign."""
    return f"{value:.2f}".replace("-", "−")


def grouped(count: int) -> str:
    """Write a count with its thousands grouped."""
    return f"{count:,}"


def percent(share: float) -> str:
    """Write a share of 1 in percent."""
    return f"{100 * share:.1f} %"


def step_formulas(symbols: Symbols, step: int) -> list[Line]:
    """Return the formulas of a step, from 0: the part that each is about, formula and numbers."""
    outline = symbols.outline
    if outline is None:
        middle = [_attends(symbols, step), _context(symbols, step), _state(symbols, step)]
    elif outline.kind == "transformer":
        middle = _transformer(symbols, step)
    elif outline.attention == "none":
        middle = [_fixed_context(symbols), _state(symbols, step)]
    elif outline.feeds == "context":
        middle = [_attends(symbols, step), _context(symbols, step), _state(symbols, step)]
    else:
        middle = [_state(symbols, step), _attends(symbols, step), _context(symbols, step)]
    return [line for line in (*middle, _readout(symbols, step), *_output(symbols, step)) if line]


def encoder_formula(outline: Outline | None) -> str:
    """Write how an encoder makes a state."""
    if outline is None:
        return "h_j = Encoder(x)_j"
    if outline.kind == "transformer":
        return "h_j = Encoder(x_1 … x_T)_j"
    name = CELL_NAMES[outline.kind]
    if outline.bidirectional:
        return f"h_j = [{name}(x_j, →h_{{j−1}}); {name}(x_j, ←h_{{j+1}})]"
    return f"h_j = {name}(x_j, h_{{j−1}})"


def source_numbers(symbols: Symbols, place: int) -> str:
    """Write the sizes of what an encoder reads at a source position, and of the state it makes."""
    internals, states = symbols.internals, symbols.trace.encoder_states
    if internals is None:
        return f"‖h_{{{place + 1}}}‖ = {_norm(states[place])}"
    made = f"‖h_{{{place + 1}}}‖ = {_norm(internals.encoder_states[place])}"
    return f"‖x_{{{place + 1}}}‖ = {_norm(internals.source_vectors[place])} → {made}"


def _norm(vector: np.ndarray) -> str:
    return number(float(np.linalg.norm(vector.astype(np.float32))))


def _line(part: str, formula: str, numbers: str) -> Line:
    return {"part": part, "formula": formula, "numbers": numbers}


def _fixed_context(symbols: Symbols) -> Line:
    contexts = symbols.trace.contexts
    size = f"‖c‖ = {_norm(contexts[0])}, {contexts.shape[1]:,} units"
    return _line("context", "c = h_T", f"{size}, the same at each step")


def _attends(symbols: Symbols, step: int) -> Line | None:
    """Write the scores and the weights of the positions that a step looks at most."""
    trace, internals = symbols.trace, symbols.internals
    if trace.attention is None:
        return None
    weights = trace.attention[step].mean(axis=(0, 1), dtype=np.float32)
    scores = None if internals is None or internals.scores is None else internals.scores[step]
    best = np.argsort(-weights, kind="stable")[:SHOWN]
    told = []
    for place in best:
        score = "" if scores is None else f"{exact(float(scores[place]))} → "
        told.append(f"{_named(trace, int(place))}: {score}{exact(float(weights[place]))}")
    many = "mean of all layers and heads: " if trace.attention[step, :, :, 0].size > 1 else ""
    return _line("attention", _weight_formula(symbols), many + " · ".join(told))


def _named(trace: Trace, place: int) -> str:
    if trace.position_seconds:
        return f"{place * trace.position_seconds:.2f} s"
    return label(trace.source.pieces[place])


def _weight_formula(symbols: Symbols) -> str:
    outline = symbols.outline
    if outline is None:
        return "α_{tj} = softmax(e_{tj})"
    query = "s_{t−1}" if outline.feeds == "context" else "s_t"
    score = {
        "additive": f"v · tanh(W {query} + U h_j)",
        "dot": f"{query} · h_j / √{outline.width}",
        "general": f"{query} · W h_j / √{outline.width}",
        "heads": "q_t · k_j / √d_k" if outline.scaled else "q_t · k_j",
    }[outline.attention]
    return f"α_{{tj}} = softmax({score})"


def _context(symbols: Symbols, step: int) -> Line | None:
    trace = symbols.trace
    if trace.attention is None:
        return None
    size = f"‖c_{{{step + 1}}}‖ = {_norm(_of(symbols, 'contexts')[step])}"
    if symbols.outline is not None and symbols.outline.kind == "transformer":
        return _line("context", "c_t = W Σ α_{tj} v_j", f"{size}, of the top layer")
    weights = trace.attention[step].mean(axis=(0, 1), dtype=np.float32)
    best = np.argsort(-weights, kind="stable")[:SHOWN]
    terms = " + ".join(f"{exact(float(weights[j]))} h_{{{j + 1}}}" for j in best)
    more = " + …" if len(weights) > SHOWN else ""
    return _line("context", "c_t = Σ α_{tj} h_j", f"{terms}{more}; {size}")


def _of(symbols: Symbols, name: str) -> np.ndarray:
    """Return states or contexts of all steps, as exactly as they are known."""
    if symbols.internals is not None:
        return getattr(symbols.internals, name)
    return symbols.trace.contexts if name == "contexts" else symbols.trace.decoder_states


def _state(symbols: Symbols, step: int) -> Line:
    outline, internals = symbols.outline, symbols.internals
    size = f"‖s_{{{step + 1}}}‖ = {_norm(_of(symbols, 'states')[step])}"
    if outline is None:
        return _line("decoder", "s_t = Decoder(y_{t−1}, s_{t−1})", size)
    beside = {"token": "", "readout": "; r_{t−1}"}.get(outline.feeds)
    if beside is None:
        beside = "; c" if outline.attention == "none" else "; c_t"
    read = f"[y_{{t−1}}{beside}]" if beside else "y_{t−1}"
    formula = f"s_t = {CELL_NAMES[outline.kind]}({read}, s_{{t−1}})"
    if internals is None or internals.start is None:
        return _line("decoder", formula, size)
    before = internals.states[step - 1] if step else internals.start
    read_sizes = f"‖y_{{{step}}}‖ = {_norm(internals.inputs[step])}"
    sizes = f"{read_sizes}, ‖s_{{{step}}}‖ = {_norm(before)}"
    return _line("decoder", formula, f"{sizes} → {size}")


def _transformer(symbols: Symbols, step: int) -> list[Line | None]:
    outline = symbols.outline
    assert outline is not None
    reads = "1 position" if step == 0 else f"{step + 1} positions"
    before = _line("self", "u_t = masked self-attention(y_{<t})", f"over {reads}")
    state = f"‖s_{{{step + 1}}}‖ = {_norm(_of(symbols, 'states')[step])}"
    layers = "1 layer" if outline.decoder_layers == 1 else f"{outline.decoder_layers} layers"
    after = _line("decoder", "s_t = feed-forward(u_t + c_t)", f"after {layers}: {state}")
    return [before, _attends(symbols, step), _context(symbols, step), after]


def _readout(symbols: Symbols, step: int) -> Line | None:
    outline, internals = symbols.outline, symbols.internals
    if outline is None or outline.kind == "transformer":
        return None
    if outline.attention == "none":
        if outline.readout == outline.width:
            return None
        formula = "r_t = V s_t"
    else:
        formula = "r_t = tanh(V [s_t; c_t])"
    units = f"{outline.readout:,} units"
    if internals is None:
        return _line("readout", formula, units)
    return _line(
        "readout", formula, f"‖r_{{{step + 1}}}‖ = {_norm(internals.readouts[step])}, {units}"
    )


def _output(symbols: Symbols, step: int) -> list[Line]:
    """Write how the probability of the chosen token comes from what the output layer reads."""
    trace, internals, outline = symbols.trace, symbols.internals, symbols.outline
    log = float(trace.log_probabilities[step])
    told = f"log P = {exact(log)}, rank {int(trace.ranks[step]) + 1}"
    formula = f"ŷ_t = softmax({_logits(outline)})"
    if internals is None:
        return [_line("output", formula, told)]
    if internals.written is not None and trace.copying is not None:
        return _mixture(symbols, step, formula)
    logit, total = float(internals.chosen_logits[step]), float(internals.log_sums[step])
    return [
        _line(
            "output",
            formula,
            f"log P = {exact(logit)} − {_inside(total)} = {exact(log)}; P = {percent(np.exp(log))}",
        )
    ]


def _inside(value: float) -> str:
    return f"({exact(value)})" if value < 0 else exact(value)


def _logits(outline: Outline | None) -> str:
    if outline is None:
        return "W_o s_t + b_o"
    has_readout = outline.kind != "transformer" and (
        outline.attention != "none" or outline.readout != outline.width
    )
    read = "r_t" if has_readout else "s_t"
    if outline.output_scale != 1:
        read += f" / √{outline.width}"
    return f"W_o {read} + b_o" if outline.output_bias else f"W_o {read}"


def _mixture(symbols: Symbols, step: int, formula: str) -> list[Line]:
    """Write the two parts of a probability where tokens can be copied. See et al. 2017, eq. 9."""
    trace, internals = symbols.trace, symbols.internals
    assert internals is not None
    assert internals.written is not None
    assert internals.weights is not None
    assert trace.copying is not None
    copying, written = float(trace.copying[step]), float(internals.written[step])
    same = np.array(trace.source.ids) == trace.target.ids[step]
    pointed = float(internals.weights[step][same].sum())
    chosen = float(trace.probabilities[step])
    parts = f"{exact(1 - copying)} · {exact(written)} + {exact(copying)} · {exact(pointed)}"
    return [
        _line("output", formula, f"of the chosen token: {percent(written)}"),
        _line("copy", "P = (1 − p_{copy}) ŷ_t + p_{copy} Σ α_{tj}", f"{parts} = {exact(chosen)}"),
    ]
