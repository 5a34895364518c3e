"""How well a translator does on texts of several kinds: everyday talk, tales, captions, ..."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.parallel_corpus import Pair
from seq2seq.decoding.options import Options
from seq2seq.evaluation.evaluate import translation_scores
from seq2seq.inference.generation import generate

SHOWN = ("bleu", "bleu_interval", "chrf")


def register_scores(
    checkpoint: Checkpoint, registers: Mapping[str, Sequence[Pair]], options: Options
) -> dict[str, dict[str, Any]]:
    """Return sentences, BLEU with its 95 % interval and chrF of each register, by its name.

    Each source counts once, against its first reference, so that registers whose sentences have
    several do not look easier than others.
    """
    scores = {}
    for name, pairs in registers.items():
        first = {pair.source: pair.target for pair in reversed(pairs)}
        outputs = [each.text for each in generate(checkpoint, list(first), options)]
        found = translation_scores(outputs, [[text] for text in first.values()], list(first))
        scores[name] = {"sentences": len(first), **{key: found[key] for key in SHOWN}}
    return scores
