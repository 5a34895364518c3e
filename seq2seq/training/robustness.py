"""How well a translator keeps names and numbers it has never seen, and bears other typing."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sacrebleu.metrics import BLEU, CHRF

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.parallel_corpus import Pair
from seq2seq.decoding.options import Options
from seq2seq.inference.generation import generate
from seq2seq.training.bilingual_slots import SLOT, fill, filled
from seq2seq.training.name_tables import Words, patterns
from seq2seq.training.typing_variants import typographic, unended

PEOPLE = ("name", "full", "he", "she", "surname")
# The same sentences with these, which every corpus holds, show what a rare name costs.
COMMON: Mapping[str, Words] = {
    "name": Words("Tom", "Tom"),
    "name2": Words("Mary", "Mary"),
    "full": Words("Tom Jackson", "Tom Jackson"),
    "surname": Words("Jackson", "Jackson"),
    "city": Words("Boston", "Boston"),
}
ALTERED: Mapping[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "unended": unended,
    "typographic": typographic,
}


class Probe(NamedTuple):
    """A pair made of what training never sees. kinds, kept: what stands in its slots, by their
    kind, and as the target writes it. common: the same pair with a common name, if it has one.
    """

    pair: Pair
    kinds: tuple[str, ...]
    kept: tuple[str, ...]
    common: Pair | None


def robustness(
    checkpoint: Checkpoint, pairs: Sequence[Pair], options: Options | None = None
) -> dict[str, Any]:
    """Return `kept_scores` of held-out names and numbers, and `typing_scores` of pairs.

    The checkpoint translates English to French. pairs: of a validation set.
    """
    return {
        "kept": kept_scores(checkpoint, probes(), options),
        "typing": typing_scores(checkpoint, pairs, options),
    }


def probes(rounds: int = 8, seed: int = 0) -> list[Probe]:
    """Fill each held-out pattern so many times with held-out names and numbers."""
    draw = random.Random(seed)
    return [_probe(pattern, draw) for pattern in patterns(held=True) for _ in range(rounds)]


def _probe(pattern: Words, draw: random.Random) -> Probe:
    pair, slots = filled(pattern, draw, held=True)
    marks = dict.fromkeys(found[0] for found in SLOT.finditer(pattern.en))
    given = zip(marks, slots, strict=True)
    known = {mark: COMMON.get(mark.strip("{}"), slot) for mark, slot in given}
    common = Pair(*(fill(side, known, at) for at, side in enumerate(pattern)))
    kinds = tuple(re.sub(r"\d", "", mark.strip("{}")) for mark in marks)
    return Probe(pair, kinds, tuple(slot.fr for slot in slots), common if common != pair else None)


def keeps(output: str, expected: str) -> bool:
    """Tell whether a text holds a name or number as a whole, capitals and kinds of space aside."""
    text, wanted = (re.sub(r"\s", " ", each).lower() for each in (output, expected))
    return re.search(rf"(?<![^\W_]){re.escape(wanted)}(?![^\W_])", text) is not None


def kept_scores(
    checkpoint: Checkpoint, tested: Sequence[Probe], options: Options | None = None
) -> dict[str, Any]:
    """Translate probes; returns the percentages that are kept, and chrF (0-100).

    names, places, numbers: whole, in the target's spelling; by_kind: the same by kind of slot.
    chrf: of the probes that have a name or a place; chrf_common: of the same with common ones.
    """
    outputs = translations(checkpoint, [each.pair.source for each in tested], options)
    found: dict[str, list[bool]] = {}
    for probe, output in zip(tested, outputs, strict=True):
        for kind, kept in zip(probe.kinds, probe.kept, strict=True):
            found.setdefault(kind, []).append(keeps(output, kept))
    named = [(each, output) for each, output in zip(tested, outputs, strict=True) if each.common]
    commons = [each.common for each, _ in named if each.common]
    usual = translations(checkpoint, [pair.source for pair in commons], options)
    return {
        "probes": len(tested),
        **{group: _share(found, kinds) for group, kinds in _groups(found).items()},
        "by_kind": {kind: _share(found, [kind]) for kind in sorted(found)},
        "chrf": _chrf([output for _, output in named], [each.pair.target for each, _ in named]),
        "chrf_common": _chrf(usual, [pair.target for pair in commons]),
    }


def _groups(found: Mapping[str, Any]) -> dict[str, list[str]]:
    names = [kind for kind in found if kind in PEOPLE]
    places = [kind for kind in found if kind == "city"]
    numbers = [kind for kind in found if kind not in (*names, *places)]
    return {"names": names, "places": places, "numbers": numbers}


def _share(found: Mapping[str, Sequence[bool]], kinds: Sequence[str]) -> float | None:
    hits = [hit for kind in kinds for hit in found[kind]]
    return round(100 * sum(hits) / len(hits), 1) if hits else None


def _chrf(outputs: Sequence[str], references: Sequence[str]) -> float | None:
    return round(CHRF().corpus_score(outputs, [references]).score, 2) if outputs else None


def typing_scores(
    checkpoint: Checkpoint, pairs: Sequence[Pair], options: Options | None = None
) -> dict[str, Any]:
    """Score the outputs for sources as they are and as others type them: see ALTERED.

    Pairs with the same source are its references. Returns BLEU (0-100) as it is, and by the kind
    of change the BLEU that is lost, on the sources that it changes; for capitals, which outputs
    have too, without regard to case.
    """
    references: dict[str, list[str]] = {}
    for pair in pairs:
        references.setdefault(pair.source, []).append(pair.target)
    sources = list(references)
    plain = dict(zip(sources, translations(checkpoint, sources, options), strict=True))
    lost = {}
    for name, alter in ALTERED.items():
        changed = [source for source in sources if alter(source) != source]
        outputs = translations(checkpoint, [alter(source) for source in changed], options)
        expected = [references[source] for source in changed]
        known = [plain[source] for source in changed]
        if name == "upper":
            outputs, known = _lowered(outputs), _lowered(known)
            expected = [_lowered(each) for each in expected]
        lost[name] = round(bleu(known, expected) - bleu(outputs, expected), 2)
    return {"bleu": round(bleu([*plain.values()], [*references.values()]), 2), "lost": lost}


def _lowered(texts: Sequence[str]) -> list[str]:
    return [text.lower() for text in texts]


def bleu(outputs: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the BLEU (0-100) of outputs with one or more references each, 0 for no outputs."""
    if not outputs:
        return 0.0
    most = max(map(len, references))
    # sacrebleu wants one list for each reference number, with None where a source has fewer.
    streams: Any = [
        [each[n] if n < len(each) else None for each in references] for n in range(most)
    ]
    return BLEU().corpus_score(outputs, streams).score


def translations(
    checkpoint: Checkpoint, sources: Sequence[str], options: Options | None = None
) -> list[str]:
    """Return the outputs for sources, as text."""
    return [each.text for each in generate(checkpoint, list(sources), options)]
