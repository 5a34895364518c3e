"""What may not be said next: small filters over the log-probabilities of all hypotheses at once.

A rule takes log-probabilities (rows, vocabulary) and the tokens written so far (rows, step) and
returns log-probabilities in which what is forbidden is -inf; it may change those it was given.
Nothing is renormalised, so that what is left keeps the probability that the model gave it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Rule = Callable[[Tensor, Tensor], Tensor]


def forbid(tokens: Sequence[int]) -> Rule:
    """Never say these tokens: padding, the unknown token."""

    def rule(log_probabilities: Tensor, history: Tensor) -> Tensor:
        index = torch.tensor(tokens, device=log_probabilities.device)
        return log_probabilities.index_fill_(1, index, -math.inf)

    return rule


def minimum_length(length: int, end: int) -> Rule:
    """Do not end before `length` tokens stand."""

    def rule(log_probabilities: Tensor, history: Tensor) -> Tensor:
        return (
            log_probabilities
            if history.shape[1] >= length
            else forbid([end])(log_probabilities, history)
        )

    return rule


def forced_prefix(tokens: Sequence[int]) -> Rule:
    """Begin with these tokens."""

    def rule(log_probabilities: Tensor, history: Tensor) -> Tensor:
        if history.shape[1] >= len(tokens):
            return log_probabilities
        forced = tokens[history.shape[1]]
        kept = log_probabilities[:, forced].clone()
        log_probabilities.fill_(-math.inf)[:, forced] = kept
        return log_probabilities

    return rule


def no_repeat(size: int, after: int = 0) -> Rule:
    """Say no n-gram of this size twice. The first `after` tokens were forced and do not obey."""

    def rule(log_probabilities: Tensor, history: Tensor) -> Tensor:
        if history.shape[1] < max(size, after):
            return log_probabilities
        for row, tokens in enumerate(history.tolist()):
            said = tokens[len(tokens) - size + 1 :]
            for start in range(len(tokens) - size + 1):
                if tokens[start : start + size - 1] == said:
                    log_probabilities[row, tokens[start + size - 1]] = -math.inf
        return log_probabilities

    return rule
