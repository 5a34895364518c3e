"""Outputs of many sources at once, and the share of them that are right to the last token."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from seq2seq.data.batching import Example, in_groups, pad
from seq2seq.data.tokenizer import BOS, EOS, PAD
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import search
from seq2seq.models.seq2seq import Seq2Seq

TOGETHER = 256  # sources
SPARE = 10  # tokens that an output may have beyond twice its source


@torch.inference_mode()
def outputs(
    model: Seq2Seq, sources: Sequence[Sequence[int]], longest: int | None = None
) -> list[list[int]]:
    """Decode sources greedily, to ids without the end.

    longest: most tokens that are written, by default somewhat more than twice the longest source.
    """
    device = next(model.parameters()).device
    if longest is None:
        longest = 2 * max(map(len, sources)) + SPARE
    found: dict[int, list[int]] = {}
    options = Options(method="greedy", max_length=longest)
    for group in in_groups([len(source) for source in sources], TOGETHER):
        ids = pad([[*sources[number], EOS] for number in group], PAD).to(device)
        results = search(model.decoder, model.encode(ids), options, (BOS,), EOS)
        for number, result in zip(group, results, strict=True):
            tokens = result.hypotheses[0].tokens
            found[number] = [token for token in tokens if token != EOS]
    return [found[number] for number in range(len(sources))]


def longest_output(examples: Sequence[Example]) -> int:
    """Return how long an output need be to be told from all targets: a longer one is wrong."""
    return max(len(example.target) for example in examples) + 2


def tokens_right(output: Sequence[int], target: Sequence[int]) -> float:
    """Return the share of a target's tokens that stand at their place in an output."""
    same = sum(left == right for left, right in zip(output, target, strict=False))
    return same / len(target)


def match_scores(
    found: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
) -> dict[str, float]:
    """Return the share of outputs that equal their target, and of tokens at their place."""
    pairs = list(zip(found, targets, strict=True))
    exact = sum(list(output) == list(target) for output, target in pairs)
    right = sum(tokens_right(output, target) for output, target in pairs)
    return {"exact_match": exact / len(pairs), "token_accuracy": right / len(pairs)}
