"""How the numbers of a step were computed, written in LaTeX with these numbers in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from seq2seq.analysis.step_internals import AttentionInternals, CellInternals, StepInternals

SCORES = {
    "additive": r"e_{tj} = v \cdot \tanh(W s + U h_j)",
    "dot": r"e_{tj} = s \cdot h_j / \sqrt{d}",
    "general": r"e_{tj} = s \cdot W h_j / \sqrt{d}",
}


def new_state(kind: str, cell: CellInternals, unit: int) -> str:
    """Write how a unit's state was computed, from 0; kind: of the cell."""
    before, after = ([part[unit] for part in state] for state in (cell.before, cell.after))
    gate = {name: values[unit] for name, values in cell.gates.items()}
    if kind == "lstm":
        lines = [
            r"C_t &= \textit{forget}\;C_{t-1} + \textit{input}\cdot\textit{candidate}",
            f"&= {_n(gate['forget'])}\\cdot{_n(before[1])} + "
            f"{_n(gate['input'])}\\cdot{_n(gate['candidate'])}",
            f"&= {after[1]:.2f}",
            r"s_t &= \textit{output}\cdot\tanh C_t",
            f"&= {_n(gate['output'])}\\cdot\\tanh {_n(after[1])} = {after[0]:.2f}",
        ]
    elif kind == "gru":
        lines = [
            r"s_t &= \textit{update}\;s_{t-1}",
            r"&\quad + (1-\textit{update})\;\textit{candidate}",
            f"&= {_n(gate['update'])}\\cdot{_n(before[0])} + "
            f"{_n(1 - gate['update'])}\\cdot{_n(gate['candidate'])}",
            f"&= {after[0]:.2f}",
        ]
    else:
        lines = [r"s_t &= \tanh(\textit{sum})", f"&= \\tanh {_n(gate['sum'])} = {after[0]:.2f}"]
    return _aligned(lines)


def pre_activations(kind: str, cell: CellInternals, unit: int) -> str:
    """Write how a unit's gates, from 0, were made of their pre-activations; "" without gates."""
    lines = []
    for name, gate in cell.gates.items() if kind != "rnn" else ():
        function = r"\tanh" if name == "candidate" else r"\sigma"
        total, value = cell.sums[name][unit], gate[unit]
        lines.append(f"\\textit{{{name}}} &= {function}({total:.2f}) = {value:.2f}")
    return _aligned(lines) if lines else ""


def logit(found: StepInternals, readout: str) -> str:
    """Write how the output layer made the logit of the chosen token; readout: what it reads."""
    product = float(found.output_row @ found.readout)
    total = product + found.output_bias
    name = r"\text{logit}" if found.copying is None else r"\text{logit}_\text{vocabulary}"
    return _aligned(
        [
            f"{name} &= (W_o\\,{readout} + b_o)_y",
            f"&= {product:.2f} + {_n(found.output_bias)} = {total:.2f}",
        ]
    )


def weight(attention: str, look: AttentionInternals, place: int) -> str:
    """Write how the score and the weight of a position were computed, from 0."""
    score, weight = look.scores[place], look.weights[place]
    lines = []
    if look.keys is None:
        lines += [SCORES[attention].replace("=", "&=", 1), f"&= {score:.2f}"]
    else:
        product = float(look.keys[place] @ look.query)
        formula = SCORES.get(attention, r"e_{tj} = q \cdot k_j" + _over(look))
        formula += "" if look.bias is None else " + b_j"
        lines.append(formula.replace("=", "&=", 1))
        added = "" if look.bias is None else f" + {_n(look.bias[place])}"
        divided = "" if look.scale == 1 else f" / {1 / look.scale:.2f}"
        lines.append(f"&= {product:.2f}{divided}{added} = {score:.2f}")
    highest = look.weights.argmax()
    # Of all positions that are seen, those after a recording's end included.
    total = float(look.scores[highest] - np.log(look.weights[highest]))
    if not weight and np.exp(score - total) > 0:  # left out of the softmax, as a gap in a series is
        lines.append(r"\alpha_{tj} &= 0 \quad \text{(nothing to look at)}")
        return _aligned(lines)
    lines.append(r"\alpha_{tj} &= e^{e_{tj}} / \textstyle\sum_k e^{e_{tk}}")
    lines.append(f"&= e^{{{score:.2f} - {_n(total)}}} = {weight:.2f}")
    return _aligned(lines)


def context(look: AttentionInternals, unit: int, by_head: bool) -> str:
    """Write how a unit of the context was summed, from 0; by_head: of the values of one head."""
    best = np.argsort(-look.weights)[:3]
    terms = [f"{_n(look.weights[j])}\\cdot{_n(look.values[j, unit])}" for j in best]
    value, more = "v_j" if by_head else "h_j", "+ \\dots " * (len(look.weights) > 3)
    return _aligned(
        [
            f"c_t &= \\textstyle\\sum_j \\alpha_{{tj}}\\,{value} = {terms[0]}",
            *(f"&\\quad + {term}" for term in terms[1:]),
            f"&\\quad {more}= {look.context[unit]:.2f}",
        ]
    )


def probability(found: StepInternals) -> str:
    """Write how the probability of the chosen token was computed."""
    logit, probability = found.logits[found.chosen], found.probabilities[found.chosen]
    if found.copying is None:
        return _aligned(
            [
                r"p &= e^{\text{logit}} / \textstyle\sum_k e^{\text{logit}_k}",
                f"&= e^{{{logit:.2f} - {_n(found.log_sum)}}} = {probability:.3f}",
            ]
        )
    copied = found.copying * found.pointed
    written = (probability - copied) / max(1 - found.copying, 1e-9)
    return _aligned(
        [
            r"p &= (1 - p_\text{copy})\,p_\text{vocabulary}",
            r"&\quad + p_\text{copy}\,\textstyle\sum_{j: x_j = y} \alpha_j",
            f"&= {1 - found.copying:.2f}\\cdot{max(written, 0):.2f} + "
            f"{found.copying:.2f}\\cdot{found.pointed:.2f}",
            f"&= {probability:.3f}",
        ]
    )


def _over(look: AttentionInternals) -> str:
    return "" if look.scale == 1 else r" / \sqrt{d}"


def _n(value: float) -> str:
    """Write a number that stands inside a formula."""
    return f"({value:.2f})" if value < 0 else f"{value:.2f}"


def _aligned(lines: list[str]) -> str:
    return r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"
