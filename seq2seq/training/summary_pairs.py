"""Pairs of a text and its summary as a model learns them: paragraphs, headlines, instructions."""

from __future__ import annotations

import random
from collections.abc import Sequence

from seq2seq.data.parallel_corpus import Pair


def instructed(pairs: Sequence[Pair], instruction: str) -> list[Pair]:
    """Put an instruction before each source, as `prepare` does; "" for none."""
    if not instruction:
        return list(pairs)
    return [Pair(f"{instruction} {pair.source}", pair.target) for pair in pairs]


def in_paragraphs(pairs: Sequence[Pair], most: int, lead: int, draw: random.Random) -> list[Pair]:
    """Put sources together to texts of up to `most`, each used once; in a new order.

    Their target is the first `lead` of the targets: as news are written, what matters stands first
    (Nenkova 2005, "Automatic Text Summarization of Newswire", on the lead as a baseline). Short
    texts are more frequent than long ones.
    """
    if most == 1:
        return list(pairs)
    shuffled = draw.sample(pairs, len(pairs))
    texts, start = [], 0
    while start < len(shuffled):
        count = draw.randint(1, draw.randint(1, most))
        part = shuffled[start : start + count]
        source = " ".join(pair.source for pair in part)
        texts.append(Pair(source, " ".join(pair.target for pair in part[:lead])))
        start += count
    return texts
