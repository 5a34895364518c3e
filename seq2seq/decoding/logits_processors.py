"""What may not be said next: small filters over the log-probabilities of all hypotheses at once.

A logits processor takes log-probabilities (rows, vocabulary) and the tokens written so far (rows,
step) and returns log-probabilities in which what is forbidden is -inf; it may change those it was
given. Nothing is renormalised, so that what is left keeps the probability that the model gave it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from seq2seq.data.word_filter import WordFilter

LogitsProcessor = Callable[[Tensor, Tensor], Tensor]


def forbid(tokens: Sequence[int]) -> LogitsProcessor:
    """Never say these tokens: padding, the unknown token."""
    places = torch.tensor(tokens)

    def processor(log_probabilities: Tensor, history: Tensor) -> Tensor:
        index = places.to(log_probabilities.device)
        return log_probabilities.index_fill_(1, index, -math.inf)

    return processor


def forbid_first(tokens: Sequence[int]) -> LogitsProcessor:
    """Do not begin with these tokens."""

    def processor(log_probabilities: Tensor, history: Tensor) -> Tensor:
        if history.shape[1]:
            return log_probabilities
        return forbid(tokens)(log_probabilities, history)

    return processor


def forced_at(step: int, token: int) -> LogitsProcessor:
    """Say this token at this step, at no cost: it is a condition of the run, not a choice."""

    def processor(log_probabilities: Tensor, history: Tensor) -> Tensor:
        if history.shape[1] != step:
            return log_probabilities
        allowed = torch.full_like(log_probabilities, -math.inf)
        allowed[:, token] = 0.0
        return allowed

    return processor


def after(length: int, processor: LogitsProcessor) -> LogitsProcessor:
    """Hold a processor back until so many tokens stand: what is given need not obey it."""

    def later(log_probabilities: Tensor, history: Tensor) -> Tensor:
        if history.shape[1] < length:
            return log_probabilities
        return processor(log_probabilities, history)

    return later


def renormalised(log_probabilities: Tensor, history: Tensor) -> Tensor:
    """Let what is still allowed sum to 1 again; comes after all other processors."""
    return log_probabilities.log_softmax(dim=-1)


def no_copy(size: int, source: Sequence[int], read_first: Sequence[int] = ()) -> LogitsProcessor:
    """Copy no n-gram of this size from the source ids, the same for all rows.

    read_first: by the decoder before its first output; it counts as written.
    """
    followers: dict[tuple[int, ...], list[int]] = {}
    for start in range(len(source) - size + 1):
        *said, last = source[start : start + size]
        followers.setdefault(tuple(said), []).append(last)

    def processor(log_probabilities: Tensor, history: Tensor) -> Tensor:
        allowed = log_probabilities.clone()
        for row, written in enumerate(history.tolist()):
            tokens = [*read_first, *written]
            said = tuple(tokens[len(tokens) - size + 1 :]) if size > 1 else ()
            allowed[row, followers.get(said, [])] = -math.inf
        return allowed

    return processor


def minimum_length(length: int, ends: Sequence[int]) -> LogitsProcessor:
    """Do not end before `length` tokens stand."""

    def processor(log_probabilities: Tensor, history: Tensor) -> Tensor:
        return (
            log_probabilities
            if history.shape[1] >= length
            else forbid(ends)(log_probabilities, history)
        )

    return processor


def forced_prefix(tokens: Sequence[int]) -> LogitsProcessor:
    """Begin with these tokens."""

    def processor(log_probabilities: Tensor, history: Tensor) -> Tensor:
        if history.shape[1] >= len(tokens):
            return log_probabilities
        forced = tokens[history.shape[1]]
        kept = log_probabilities[:, forced].clone()
        log_probabilities.fill_(-math.inf)[:, forced] = kept
        return log_probabilities

    return processor


def no_repeat(size: int, after: int = 0, read_first: Sequence[int] = ()) -> LogitsProcessor:
    """Say no n-gram of this size twice. The first `after` tokens were forced and do not obey.

    read_first: by the decoder before its first output; it counts as written.
    """

    def processor(log_probabilities: Tensor, history: Tensor) -> Tensor:
        if history.shape[1] < after or len(read_first) + history.shape[1] < size:
            return log_probabilities
        for row, written in enumerate(history.tolist()):
            tokens = [*read_first, *written]
            said = tokens[len(tokens) - size + 1 :]
            for start in range(len(tokens) - size + 1):
                if tokens[start : start + size - 1] == said:
                    log_probabilities[row, tokens[start + size - 1]] = -math.inf
        return log_probabilities

    return processor


def penalise_repeats(
    scores: Tensor, history: Tensor, penalty: float, read_first: Sequence[int] = ()
) -> Tensor:
    """Return scores (rows, vocabulary) in which what was written is less likely.

    Positive ones are divided by the penalty, negative ones multiplied: Keskar et al. 2019, section
    4.1. read_first: by the decoder before its first output; it counts as written.
    """
    first = torch.tensor([list(read_first)], dtype=torch.long, device=scores.device)
    written = torch.cat([first.expand(len(history), -1), history], dim=1)
    found = scores.gather(1, written)
    found = torch.where(found < 0, found * penalty, found / penalty)
    return scores.scatter(1, written, found)


def forbid_sequences(
    sequences: Sequence[Sequence[int]], read_first: Sequence[int] = ()
) -> LogitsProcessor:
    """Complete none of these sequences of several tokens.

    read_first: by the decoder before its first output; it counts as written.
    """
    by_length: dict[int, dict[tuple[int, ...], list[int]]] = {}
    for *start, last in sequences:
        by_length.setdefault(len(start), {}).setdefault(tuple(start), []).append(last)

    def processor(log_probabilities: Tensor, history: Tensor) -> Tensor:
        for row, written in enumerate(history.tolist()):
            tokens = [*read_first, *written]
            for length, completing in by_length.items():
                ended = tuple(tokens[-length:])
                log_probabilities[row, completing.get(ended, [])] = -math.inf
        return log_probabilities

    return processor


def filter_words(word_filter: WordFilter) -> LogitsProcessor:
    """Complete no word that the filter forbids, in whatever pieces it is written."""

    def processor(log_probabilities: Tensor, history: Tensor) -> Tensor:
        for row, tokens in enumerate(history.tolist()):
            index = torch.tensor(word_filter.completing(tokens), device=log_probabilities.device)
            log_probabilities[row].index_fill_(0, index.long(), -math.inf)
        return log_probabilities

    return processor


def spoken_times(first_time: int, eos: int, latest_start: int = 50) -> LogitsProcessor:
    """Let times stand in pairs around what was said, and never go back. Radford et al. 2022, 2.3.

    first_time: token of 0.00 s, after which all tokens are times. latest_start: steps of 0.02 s
    into the recording at which the first text may begin.
    """

    def processor(log_probabilities: Tensor, history: Tensor) -> Tensor:
        allowed = log_probabilities.clone()
        for row, tokens in enumerate(history.tolist()):
            times = [token for token in tokens if token >= first_time]
            after_time = bool(tokens) and tokens[-1] >= first_time
            if after_time and (len(tokens) < 2 or tokens[-2] >= first_time):
                allowed[row, first_time:] = -math.inf
            elif after_time:
                allowed[row, :eos] = -math.inf
            if times:
                closes = after_time and len(tokens) > 1 and tokens[-2] < first_time
                allowed[row, first_time : times[-1] + (0 if closes else 1)] = -math.inf
            if not tokens:
                allowed[row, :first_time] = -math.inf
                allowed[row, first_time + latest_start + 1 :] = -math.inf
        chances = allowed.log_softmax(dim=-1)
        timed = chances[:, first_time:].logsumexp(dim=-1) > chances[:, :first_time].amax(dim=-1)
        allowed[timed, :first_time] = -math.inf
        return allowed

    return processor
