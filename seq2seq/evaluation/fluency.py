"""Whether texts are worded as people word them, as a language model of n-grams sees it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import log

BEGIN, END = -1, -2  # before and after a text; no token has such an id
DISCOUNT = 0.75
MARGIN = 1.0  # nats a token

Gram = tuple[int, ...]


class TrigramModel:
    """Interpolated Kneser-Ney (Chen and Goodman 1999, section 3), of the ids of tokens."""

    def __init__(self, texts: Iterable[Sequence[int]], vocabulary: int) -> None:
        """Count the trigrams of texts. vocabulary: tokens that there are, seen or not."""
        seen: Counter[Gram] = Counter()
        for text in texts:
            seen.update(_trigrams(text))
        # Of shorter n-grams, Kneser and Ney count the tokens that they follow.
        pairs = Counter(gram[1:] for gram in seen)
        alone = Counter(gram[1:] for gram in pairs)
        self._counts, self._totals, self._kinds = [], [], []
        for counts in (alone, pairs, seen):
            totals: dict[Gram, int] = defaultdict(int)
            kinds: dict[Gram, int] = defaultdict(int)
            for gram, count in counts.items():
                totals[gram[:-1]] += count
                kinds[gram[:-1]] += 1
            self._counts.append(counts)
            self._totals.append(totals)
            self._kinds.append(kinds)
        self._vocabulary = vocabulary + 1  # the end, too

    def log_probability(self, text: Sequence[int]) -> float:
        """Return the mean log-probability of the tokens of a text and of its end, in nats."""
        grams = list(_trigrams(text))
        return sum(log(self._probability(gram)) for gram in grams) / len(grams)

    def _probability(self, gram: Gram) -> float:
        """Return that of the last token of an n-gram after the others."""
        if not gram:
            return 1 / self._vocabulary
        order, history = len(gram) - 1, gram[:-1]
        lower = self._probability(gram[1:])
        total = self._totals[order].get(history, 0)
        if not total:
            return lower
        kept = max(0.0, self._counts[order][gram] - DISCOUNT)
        return (kept + DISCOUNT * self._kinds[order][history] * lower) / total


def _trigrams(text: Sequence[int]) -> Iterable[Gram]:
    padded = (BEGIN, BEGIN, *text, END)
    return zip(padded, padded[1:], padded[2:], strict=False)


def less_probable(
    model: TrigramModel, outputs: Sequence[Sequence[int]], references: Sequence[Sequence[int]]
) -> float:
    """Return the share of outputs, in %, whose tokens are less probable on average than those of
    their references, by more than MARGIN nats.
    """
    pairs = list(zip(outputs, references, strict=True))
    behind = (
        model.log_probability(reference) - model.log_probability(output) > MARGIN
        for output, reference in pairs
    )
    return round(100 * sum(behind) / max(1, len(pairs)), 1)
