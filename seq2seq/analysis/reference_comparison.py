"""What a model wrote on its own, held against a reference that it was made to read."""

from __future__ import annotations

from dataclasses import dataclass

from seq2seq.decoding.scoring import score
from seq2seq.evaluation.rouge import rouge_l, tokens
from seq2seq.evaluation.sentence_metrics import bleu, chrf
from seq2seq.trace import Trace


@dataclass(frozen=True)
class Comparison:
    """Two outputs of one model for one source: one of its own, and a reference.

    differ: the first step at which their tokens are not the same, None where all are.
    bleu, chrf: 0 to 100, of this one sentence (sacrebleu, BLEU over the n-grams that it has).
    rouge_l: 0 to 100, None where the reference has none of the letters and digits it compares.
    log_probabilities, scores: of the own output and of the reference, as the model gave them; a
    score is divided by length ** length_penalty, as in a search without coverage.
    """

    differ: int | None
    bleu: float
    chrf: float
    rouge_l: float | None
    log_probabilities: tuple[float, float]
    scores: tuple[float, float]


def compare(own: Trace, reference: Trace) -> Comparison:
    """Hold an output against a reference, a trace of `force` with the same source."""
    wanted = reference.text
    sums = tuple(float(each.log_probabilities.sum()) for each in (own, reference))
    penalty = own.options.length_penalty
    return Comparison(
        differ=first_difference(own, reference),
        bleu=bleu(own.text, wanted),
        chrf=chrf(own.text, wanted),
        rouge_l=100 * rouge_l(own.text, wanted) if tokens(wanted) else None,
        log_probabilities=(sums[0], sums[1]),
        scores=(
            float(score(sums[0], len(own.target), penalty)),
            float(score(sums[1], len(reference.target), penalty)),
        ),
    )


def first_difference(own: Trace, reference: Trace) -> int | None:
    """Return the first step at which two outputs have not the same token, None if there is none."""
    ids = own.target.ids, reference.target.ids
    for step, (one, other) in enumerate(zip(*ids, strict=False)):
        if one != other:
            return step
    return None if len(ids[0]) == len(ids[1]) else min(map(len, ids))


def first_choice(trace: Trace, step: int) -> str:
    """Return the piece that the model found most probable at a step."""
    return trace.alternatives.pieces[step][0]
