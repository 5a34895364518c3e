"""How near one output comes to a reference. Needs no torch."""

from __future__ import annotations

from seq2seq.evaluation.rouge import rouge_l


def bleu(output: str, reference: str) -> float:
    """Return the BLEU of one sentence, 0 to 100, over the n-grams that a text so short has.

    sacrebleu's effective order.
    """
    from sacrebleu.metrics import BLEU

    return BLEU(effective_order=True).sentence_score(output, [reference]).score


def chrf(output: str, reference: str) -> float:
    """Return the chrF of one sentence, 0 to 100, as sacrebleu computes it."""
    from sacrebleu.metrics import CHRF

    return CHRF().sentence_score(output, [reference]).score


def sentence_scores(output: str, reference: str) -> dict[str, float]:
    """Score one output against one reference: bleu, chrf and rouge_l, each 0-100.

    A single sentence says little: there may be other good translations of it.
    """
    scores = {
        "bleu": bleu(output, reference),
        "chrf": chrf(output, reference),
        "rouge_l": 100 * rouge_l(output, reference),
    }
    return {name: round(score, 2) for name, score in scores.items()}
