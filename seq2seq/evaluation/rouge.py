"""How much of a text another one keeps: ROUGE, and the words of the source that a summary keeps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from seq2seq.data.normalization import align, words


def tokens(text: str) -> list[str]:
    """Return the words that ROUGE compares: runs of a-z and 0-9, in small letters, not stemmed."""
    return re.findall("[a-z0-9]+", text.lower())


def f1(common: float, said: int, wanted: int) -> float:
    """Return the harmonic mean of precision and recall; 1 where both texts are empty."""
    return 2 * common / (said + wanted) if said + wanted else 1.0


def rouge_n(output: str, reference: str, size: int) -> float:
    """Return the F1 of n-grams of this size. Lin 2004, section 2."""
    said, wanted = (
        Counter(zip(*(each[start:] for start in range(size)), strict=False))
        for each in (tokens(output), tokens(reference))
    )
    if not said and not wanted:
        return 0.0
    return f1((said & wanted).total(), said.total(), wanted.total())


def rouge_l(output: str, reference: str) -> float:
    """Return the F1 of the longest common subsequence. Lin 2004, section 3.1, with beta 1."""
    said, wanted = tokens(output), tokens(reference)
    if not said and not wanted:
        return 0.0
    lengths = [0] * (len(wanted) + 1)
    for word in said:
        before = 0
        for index, other in enumerate(wanted, start=1):
            here = lengths[index]
            lengths[index] = before + 1 if word == other else max(here, lengths[index - 1])
            before = here
    return f1(lengths[-1], len(said), len(wanted))


def kept(text: str, source: str) -> set[int]:
    """Return the numbers of the source's words that a text keeps, in order, as align finds them."""
    places = align(*([word.folded for word in words(each)] for each in (text, source)))
    return {place for place in places if place is not None}


def kept_f1(output: str, reference: str, source: str) -> float:
    """Return the F1 of the source's words kept by an output, against those of a reference.

    Filippova et al. 2015, section 4.2. Where both keep none it is 1.
    """
    said, wanted = kept(output, source), kept(reference, source)
    return f1(len(said & wanted), len(said), len(wanted))


def first_words(source: str, count: int) -> str:
    """Return the first words of a source: the baseline of a summary."""
    return " ".join(source.split()[:count])


def summary_scores(
    outputs: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str]
) -> dict[str, float]:
    """Score summaries, each against the best of its references: means, for 100.

    Returns ROUGE-1, -2 and -L, the F1 of kept words, the words of an output for 100 of its source,
    and the same ROUGE of the first ten words of the sources.
    """
    lead = [first_words(source, 10) for source in sources]
    scores = {}
    for name, texts in (("", outputs), ("first_words_", lead)):
        pairs = list(zip(texts, references, strict=True))
        for kind in ("1", "2", "l"):
            best = [max(_rouge(text, each, kind) for each in those) for text, those in pairs]
            scores[f"{name}rouge_{kind}"] = round(100 * sum(best) / len(best), 2)
        best = [
            max(kept_f1(text, each, source) for each in those)
            for (text, those), source in zip(pairs, sources, strict=True)
        ]
        scores[f"{name}kept_f1"] = round(100 * sum(best) / len(best), 2)
    written, read = (sum(len(text.split()) for text in texts) for texts in (outputs, sources))
    return {**scores, "words_kept": round(100 * written / max(1, read), 1)}


def _rouge(output: str, reference: str, kind: str) -> float:
    return rouge_l(output, reference) if kind == "l" else rouge_n(output, reference, int(kind))
