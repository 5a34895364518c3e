"""The outputs of a run in another order: the search's own scores, with other penalties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from seq2seq.decoding.hypothesis import FINISHED, Hypothesis
from seq2seq.decoding.scoring import score
from seq2seq.trace import Output, Trace

MOST = 20
MARGIN = 1e-3  # of a score: less may be rounding


def complete(trace: Trace, most: int = MOST) -> tuple[Hypothesis, ...]:
    """Return the run's outputs, then whatever else its search completed, best first.

    most: of all of them; the outputs come in any case. Where these were ranked by mutual
    information there is nothing else: the rest has not been scored so.
    """
    found = [_of_output(trace, each) for each in trace.outputs]
    if trace.options.mmi_weight:
        return tuple(found)
    others = set(np.flatnonzero(trace.beam_tree.status == FINISHED).tolist())
    others -= {output.node for output in trace.outputs}
    rest = [hypothesis(trace, node, True) for node in sorted(others)]
    rest.sort(key=lambda each: (-each.score, each.tokens))
    return tuple(found + rest[: max(0, most - len(found))])


def _of_output(trace: Trace, output: Output) -> Hypothesis:
    own = hypothesis(trace, output.node, output.finished)
    if not trace.options.mmi_weight:
        return own
    return replace(own, score=output.score, discount=output.discount)


def outputs(trace: Trace, most: int = MOST) -> dict[str, Output]:
    """Return what `complete` does as outputs, by "1", "2" and so on.

    The text of one that is none of the run's outputs is put together from its pieces.
    """
    known = {output.node: output for output in trace.outputs}
    found = {}
    for number, each in enumerate(complete(trace, most)):
        pieces = tuple(trace.beam_pieces[node] for node in trace.beam_tree.path(each.node))
        text = "".join(pieces[:-1]).replace("▁", " ").strip()
        own = Output(
            text, pieces, sum(each.log_probabilities), each.score, each.finished, each.node
        )
        found[str(number + 1)] = known.get(each.node, own)
    return found


def hypothesis(trace: Trace, node: int, finished: bool) -> Hypothesis:
    """Return the way to a node of the run's beam tree."""
    tree = trace.beam_tree
    path = tree.path(node)
    return Hypothesis(
        tuple(tree.token[path].tolist()),
        tuple(tree.log_probability[path].tolist()),
        float(tree.score[node]),
        finished,
        node,
    )


def scores(
    hypotheses: Sequence[Hypothesis],
    length_penalty: float,
    coverage_penalty: float = 0.0,
    coverage: np.ndarray | None = None,
) -> np.ndarray:
    """Score hypotheses, (hypotheses,), as the search does: see `scoring.score`."""
    totals = np.array([sum(each.log_probabilities) - each.discount for each in hypotheses])
    lengths = np.array([len(each.tokens) for each in hypotheses])
    return score(totals, lengths, length_penalty, coverage_penalty, coverage)


def order(hypotheses: Sequence[Hypothesis], scored: Iterable[float]) -> list[int]:
    """Return the numbers of the hypotheses, best first; equals go by their tokens, as they do in
    the search.
    """
    values = list(scored)
    return sorted(range(len(values)), key=lambda n: (-values[n], hypotheses[n].tokens))


def better(best: Hypothesis, others: Mapping[str, Hypothesis]) -> dict[str, Hypothesis]:
    """Return those that the model scores higher than what its search chose: its search errors.

    All have to be scored with the same penalties; what is not complete is no rival.
    """
    return {
        name: each
        for name, each in others.items()
        if each.finished and each.tokens != best.tokens and each.score > best.score + MARGIN
    }
