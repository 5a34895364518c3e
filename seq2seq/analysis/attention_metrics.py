"""What is measured of an attention matrix: entropy, coverage, possible problems."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from seq2seq.analysis.attention_matrix import Pick, Picks, Side, grid, word_groups
from seq2seq.trace import Tokens, Trace

# A source word that got less than UNTRANSLATED words' worth of attention, or more than TWICE.
UNTRANSLATED, TWICE = 0.3, 1.5
# A row is diffuse from this share of the entropy that looking everywhere alike would have.
DIFFUSE, FEWEST = 0.75, 4
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


class Finding(NamedTuple):
    """Something that stands out.

    kind: "untranslated", "twice" or "diffuse". token: of the source for the first two, a step for
    the last; from 0. text: the word or piece. value: its attention in words, or the entropy in bit;
    limit: what it passed.
    """

    kind: str
    token: int
    text: str
    value: float
    limit: float


def findings(trace: Trace, layer: Pick = "mean", head: Pick = "mean") -> list[Finding]:
    """Find source words left untranslated or translated twice, and steps that looked everywhere.

    Only words count on both sides: attention rests on ends and full stops for want of anything
    better, so each row is taken as what it gave to words. What leaves words out by design, as a
    summary does, has no words left out. The thresholds are ours; the sums are
    those of SoftAlignments (Rikters et al. 2017). A "max" is measured as the mean.
    """
    by_word = len(set(trace.source.words)) > 2 and not trace.position_seconds
    found = grid(trace, "cross", by_word=by_word, **means({"layer": layer, "head": head}))
    read = _worded(trace.source, by_word)
    written = _worded(trace.target, by_word)
    if trace.position_seconds:
        read[:] = True
    if not read.any() or not written.any():
        return []
    shares = _shares(found.weights[:, read])[written]
    sources, targets = np.flatnonzero(read), np.flatnonzero(written)
    listed: list[Finding] = []
    if covers(trace) and len(sources) > 1:
        listed += _covered(shares, sources, found.columns)
    most = math.log2(len(sources))
    if len(sources) >= FEWEST:
        for row, value in zip(targets, entropy(shares).tolist(), strict=True):
            if value > DIFFUSE * most:
                place = found.rows.tokens[row], found.rows.labels[row]
                listed.append(Finding("diffuse", *place, value, DIFFUSE * most))
    return listed


def covers(trace: Trace) -> bool:
    """Tell whether an output is to say each word of the source once, as a translation does."""
    return trace.task in ("translation", "spelling") and not trace.position_seconds


def _covered(shares: np.ndarray, sources: np.ndarray, side: Side) -> Iterator[Finding]:
    for column, value in zip(sources, coverage(shares).tolist(), strict=True):
        place = side.tokens[column], side.labels[column]
        if value < UNTRANSLATED:
            yield Finding("untranslated", *place, value, UNTRANSLATED)
        elif value > TWICE:
            yield Finding("twice", *place, value, TWICE)


def _worded(tokens: Tokens, by_word: bool) -> np.ndarray:
    """Tell of each word or piece whether it has a letter or a digit and is no special token."""
    spoken = [
        any(character.isalnum() for character in piece) and not skipped
        for piece, skipped in zip(tokens.pieces, tokens.special, strict=True)
    ]
    if not by_word:
        return np.array(spoken)
    groups = word_groups(tokens)
    counted = np.zeros(groups[-1] + 1, dtype=int)
    np.add.at(counted, groups, spoken)
    return counted > 0
