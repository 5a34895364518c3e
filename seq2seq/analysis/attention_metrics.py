"""What is measured of an attention matrix: entropy, coverage, confidence, sinks."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from seq2seq.analysis.attention_matrix import Picks
from seq2seq.trace import Trace

SINK, FEWEST_READ = 0.35, 6


def entropy(weights: np.ndarray) -> np.ndarray:
    """Return the entropy of each row of (rows, columns) in bit; rows need not sum to 1."""
    shares = _shares(weights)
    return -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)


def coverage(weights: np.ndarray) -> np.ndarray:
    """Return what each column of (rows, columns) got of all rows together."""
    return weights.sum(axis=0)


def smallest_set(weights: np.ndarray, mass: float) -> np.ndarray:
    """Mark the fewest weights of each row that reach a share of the row's sum.

    Returns booleans, (rows, columns). Seq2Seq-Vis draws its links so (Strobelt et al. 2018).
    """
    shares = _shares(weights)
    order = np.argsort(-shares, axis=1, kind="stable")
    falling = np.take_along_axis(shares, order, axis=1)
    # A weight is needed while those before it do not reach the mass.
    needed = falling.cumsum(axis=1) - falling < mass - 1e-6
    marked = np.zeros(weights.shape, dtype=bool)
    np.put_along_axis(marked, order, needed & (falling > 0), axis=1)
    return marked


def sinks(trace: Trace) -> list[tuple[int, float]]:
    """Return the attention sinks of a run: tokens at an end of the source, and their mean weight.

    A sink is looked at whatever is written (the term: Xiao et al. 2024, section 3.1). Only the two
    tokens at either end can be one here, of a text of FEWEST_READ tokens or more, with a weight of
    SINK or more on average over layers, heads and steps.
    """
    if trace.attention is None or trace.position_seconds or len(trace.source) < FEWEST_READ:
        return []
    looked = trace.attention.mean(axis=(0, 1, 2), dtype=np.float32)
    ends = (0, 1, len(looked) - 2, len(looked) - 1)
    return [(place, float(looked[place])) for place in ends if looked[place] >= SINK]


def _shares(weights: np.ndarray) -> np.ndarray:
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)


class Confidence(NamedTuple):
    """How well attention covers the source and how much it scatters; 0 is best, all are negative.

    coverage_deviation: -1/J sum_j log(1 + (1 - sum_i a_ij)^2). absent_output, absent_input: minus
    the mean entropy (nat) of the rows, and of the columns. Rikters, Fishel and Bojar 2017
    (SoftAlignments), section 3; NMTVis ranks sentences by them (Munz et al. 2022).
    """

    coverage_deviation: float
    absent_output: float
    absent_input: float

    @property
    def total(self) -> float:
        """The sum of all three."""
        return sum(self)


def confidence(weights: np.ndarray) -> Confidence:
    """Measure the weights (output, source) of one sentence."""
    deviation = -np.log1p((1 - coverage(weights)) ** 2).mean()
    absent = [-float(entropy(each).mean()) * math.log(2) for each in (weights, weights.T)]
    return Confidence(float(deviation), *absent)


def means(picks: Picks) -> Picks:
    """Return means in place of maxima, whose rows do not sum to 1."""
    layer, head = picks.get("layer", "mean"), picks.get("head", "mean")
    return {"layer": "mean" if layer == "max" else layer, "head": "mean" if head == "max" else head}


def covers(trace: Trace) -> bool:
    """Tell whether an output is to say each word of the source once, as a translation does."""
    return trace.task in ("translation", "spelling") and not trace.position_seconds
