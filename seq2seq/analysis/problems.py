"""Possible problems of a translation: source words left out, output words that are unsure.

Each kind is a check whose limits were fitted, and whose precision and recall were measured, on
translations of validation sentences; see seq2seq.training.calibration. Without that, none is shown.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seq2seq.analysis.attention_matrix import grid, word_groups
from seq2seq.trace import Trace, words

CALIBRATION = "calibration.json"
OMITTED, UNSURE = "omitted", "unsure"
# Below it, a flag would be wrong more often than right; and fewer cases than that tell too little.
LEAST_PRECISION, LEAST_FLAGGED = 0.5, 50


class Check(NamedTuple):
    """How a kind of problem is found in the outputs of one checkpoint.

    OMITTED flags a source word that got less attention from all output words together than
    `coverage`, if leaving it out costs no output token more than `loss` (nat). UNSURE flags an
    output word with a token below `probability`. flagged, precision, recall: as measured; of a
    source word the share that its likely translations are missing where the reference has one, of
    an output word that no reference has it. base: that share of all words. frequent: words that are
    never flagged.
    """

    kind: str
    limits: dict[str, float]
    flagged: int
    precision: float
    recall: float
    base: float
    frequent: frozenset[str] = frozenset()


class Problem(NamedTuple):
    """A word that a check has flagged. token: its first one, of the source or of the output."""

    check: Check
    token: int
    text: str
    values: dict[str, float]


class Evidence(NamedTuple):
    """What is measured of a word. token: its first one, from 0."""

    token: int
    text: str
    values: dict[str, float]


def read_checks(folder: Path) -> list[Check]:
    """Return the checks that were measured for a checkpoint; none without a readable file."""
    try:
        values = json.loads((folder / CALIBRATION).read_text(encoding="utf-8"))
        frequent = frozenset(values["frequent"])
        checks = [Check(**each, frequent=frequent) for each in values["checks"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []
    return [check for check in checks if is_reliable(check)]


def is_reliable(check: Check) -> bool:
    """Tell whether a check was right often enough, in enough cases."""
    return check.precision >= LEAST_PRECISION and check.flagged >= LEAST_FLAGGED


def source_evidence(trace: Trace, lost: np.ndarray) -> list[Evidence]:
    """Measure each word of the source: its coverage, and what its absence costs at most.

    lost: by how much each output token's log-probability falls without each source word, (target,
    words), as seq2seq.analysis.attribution measures it. Only words count on both sides: attention
    rests on ends and full stops for want of anything better.
    """
    found = grid(trace, by_word=True)
    read, written = (_spoken(side.labels) for side in (found.columns, found.rows))
    if not read or not written:
        return []
    weights = found.weights[np.ix_(written, read)]
    covered = (weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)).sum(axis=0)
    evidence = []
    for place, coverage in zip(read, covered.tolist(), strict=True):
        token = found.columns.tokens[place]
        loss = float(lost[:, trace.source.words[token]].max())
        values = {"coverage": coverage, "loss": loss}
        evidence.append(Evidence(token, found.columns.labels[place], values))
    return evidence


def output_evidence(trace: Trace) -> list[Evidence]:
    """Measure each word of the output: the probability of its least probable token."""
    groups, chances = word_groups(trace.target), trace.probabilities
    labels = words(replace(trace.target, words=tuple(groups.tolist())))
    return [
        Evidence(
            int(np.flatnonzero(groups == place)[0]),
            labels[place],
            {"probability": float(chances[groups == place].min())},
        )
        for place in _spoken(labels)
    ]


def is_flagged(check: Check, evidence: Evidence) -> bool:
    """Tell whether a check flags a word: every value is below its limit."""
    if evidence.text.lower() in check.frequent and check.kind == OMITTED:
        return False
    return all(evidence.values[name] < limit for name, limit in check.limits.items())


def problems(trace: Trace, checks: Sequence[Check], lost: np.ndarray | None) -> list[Problem]:
    """Return the words of a run that the checks flag; lost: as in `source_evidence`, if known."""
    listed = []
    for check in checks:
        if check.kind == OMITTED:
            attends = lost is not None and trace.attention is not None
            evidence = source_evidence(trace, lost) if attends and lost is not None else []
        else:
            evidence = output_evidence(trace)
        listed += [
            Problem(check, each.token, each.text, each.values)
            for each in evidence
            if is_flagged(check, each)
        ]
    return listed


def _spoken(labels: Sequence[str]) -> list[int]:
    """Return the places of what has a letter or a digit and is no special token."""
    return [
        place
        for place, text in enumerate(labels)
        if any(map(str.isalnum, text)) and not (text.startswith("<") and text.endswith(">"))
    ]
