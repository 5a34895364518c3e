"""The score that hypotheses are ranked by, wherever it is needed. No torch."""

from __future__ import annotations

import numpy as np

UNSEEN = 1e-9  # the least coverage that counts: a token never looked at costs much, not all


def score(
    log_probability: np.ndarray | float,
    length: np.ndarray | int,
    length_penalty: float,
    coverage_penalty: float = 0.0,
    coverage: np.ndarray | None = None,
) -> np.ndarray:
    """Return log P / length ** alpha + beta * sum over source of log min(coverage, 1).

    log_probability, length: of each hypothesis, (hypotheses,), or of one. coverage (hypotheses,
    source): attention that each source token got over the whole output; 1 where there is none to
    count. Wu et al. 2016, equation 14, with the length itself as the length's term. Raises
    ValueError for a coverage penalty without coverage.
    """
    scores = log_probability / np.maximum(1, length) ** length_penalty
    if not coverage_penalty:
        return scores
    if coverage is None:
        raise ValueError("a coverage penalty needs the coverage")
    return scores + coverage_penalty * np.log(np.clip(coverage, UNSEEN, 1.0)).sum(axis=-1)
