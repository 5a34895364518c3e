"""How often the checks of possible problems are right: measured on validation sentences.

What is a problem is told without a reader, by words: a source word is left out where a reference
has one of its likely translations and the output none; an output word is wrong where no reference
has it. That calls a good synonym wrong, so the true precision is rather higher.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq.analysis.attribution import leave_one_out
from seq2seq.analysis.lexicon import lexicon, spoken_words, stem
from seq2seq.analysis.problems import (
    LEAST_PRECISION,
    OMITTED,
    UNSURE,
    Check,
    Evidence,
    is_flagged,
    is_reliable,
    output_evidence,
    source_evidence,
)
from seq2seq.checkpoint import WEIGHTS, Checkpoint
from seq2seq.data.parallel_corpus import Pair
from seq2seq.inference.generation import generate
from seq2seq.inference.teacher_forcing import force

MAX_PAIRS = 60_000  # that the lexicon is learned from
MAX_SENTENCE = 40  # words of a validation sentence
FREQUENT = 200  # words that are never flagged: most of them have no translation of their own
MARGIN = 0.05  # of precision in the half that limits are fitted on: the other one is less kind
LIMITS: dict[str, dict[str, tuple[float, ...]]] = {
    OMITTED: {"coverage": (0.3, 0.4, 0.5, 0.6, 0.7), "loss": (0.3, 0.5, 1.0, 1.5, 2.0)},
    UNSURE: {"probability": (0.1, 0.2, 0.3, 0.4, 0.5)},
}


class Judged(NamedTuple):
    """A word, what is measured of it, and whether something is wrong with it."""

    evidence: Evidence
    wrong: bool


def calibrate(
    checkpoint: Checkpoint,
    train: Sequence[Pair],
    valid: Sequence[Pair],
    on_sentence: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Fit and measure the checks of a translation model; returns what calibration.json holds.

    train: what the lexicon is learned from. valid: what is translated and looked at. Precision and
    recall are cross-fitted: of each half of the sentences, with limits fitted on the other one.
    """
    train = train[:: max(1, -(-len(train) // MAX_PAIRS))]
    known = lexicon(train)
    counts = Counter(word for pair in train for word in set(spoken_words(pair.source)))
    frequent = frozenset(word for word, _ in counts.most_common(FREQUENT))
    halves: dict[str, tuple[list[Judged], list[Judged]]] = {OMITTED: ([], []), UNSURE: ([], [])}
    references = _references(valid)
    found = generate(checkpoint, list(references))
    for number, (source, given) in enumerate(references.items()):
        tokens = found[number].hypotheses[0].tokens
        for kind, judged in _judge(checkpoint, source, tokens, given, known).items():
            halves[kind][number % 2].extend(judged)
        on_sentence()
    checks = [_check(kind, *halves[kind], frequent) for kind in (OMITTED, UNSURE)]
    return {
        "sentences": len(references),
        "checks": [_plain(check) for check in checks if check and is_reliable(check)],
        "dropped": [_plain(check) for check in checks if check and not is_reliable(check)],
        "frequent": sorted(frequent),
    }


def fingerprint(folder: Path) -> str:
    """Return what tells the weights of a checkpoint folder from others."""
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()[:16]


def _references(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, target in pairs:
        if len(source.split()) <= MAX_SENTENCE:
            found.setdefault(source, []).append(target)
    return found


def _judge(
    checkpoint: Checkpoint,
    source: str,
    tokens: Sequence[int],
    references: Sequence[str],
    known: Mapping[str, frozenset[str]],
) -> dict[str, list[Judged]]:
    """Measure the words of a translation and its source, and tell which are wrong."""
    trace = force(checkpoint, source, tokens)
    expected = {stem(word) for text in references for word in spoken_words(text)}
    written = {stem(word) for word in spoken_words(trace.text)}
    judged: dict[str, list[Judged]] = {OMITTED: [], UNSURE: []}
    for each in output_evidence(trace):
        stems = set(map(stem, spoken_words(each.text)))
        judged[UNSURE].append(Judged(each, not stems <= expected))
    if trace.attention is None:
        return judged
    for each in source_evidence(trace, leave_one_out(checkpoint, trace)):
        likely = {stem(word) for word in known.get(each.text.lower(), ())}
        if likely & expected:  # elsewhere nobody can tell
            judged[OMITTED].append(Judged(each, not likely & written))
    return judged


def _check(
    kind: str, first: Sequence[Judged], second: Sequence[Judged], frequent: frozenset[str]
) -> Check | None:
    """Fit a check on all words; measure it on each half with the limits of the other."""
    right = flagged = wrong = 0
    for fitted_on, measured_on in ((first, second), (second, first)):
        wrong += sum(each.wrong for each in measured_on)
        if (check := _fit(kind, fitted_on, frequent)) is not None:
            hits = [each.wrong for each in measured_on if is_flagged(check, each.evidence)]
            flagged, right = flagged + len(hits), right + sum(hits)
    check = _fit(kind, [*first, *second], frequent)
    if check is None or not wrong:
        return check
    return check._replace(
        flagged=flagged,
        precision=round(right / max(1, flagged), 3),
        recall=round(right / wrong, 3),
        base=round(wrong / (len(first) + len(second)), 3),
    )


def _fit(kind: str, judged: Sequence[Judged], frequent: frozenset[str]) -> Check | None:
    """Return the check that finds the most, of those that are right often enough; None for none."""
    best, most = None, 0
    for values in product(*LIMITS[kind].values()):
        limits = dict(zip(LIMITS[kind], values, strict=True))
        check = Check(kind, limits, 0, 0.0, 0.0, 0.0, frequent)
        hits = [each.wrong for each in judged if is_flagged(check, each.evidence)]
        if sum(hits) > most and sum(hits) >= (LEAST_PRECISION + MARGIN) * len(hits):
            best, most = check, sum(hits)
    return best


def _plain(check: Check) -> dict[str, Any]:
    return {name: value for name, value in check._asdict().items() if name != "frequent"}
