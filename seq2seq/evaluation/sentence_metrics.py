"""How near one output comes to a reference. Needs no torch."""

from __future__ import annotations

from seq2seq.evaluation.rouge import rouge_l


def sentence_scores(output: str, reference: str) -> dict[str, float]:
    """Score one output against one reference: bleu, chrf and rouge_l, each 0-100.

    BLEU counts only the n-grams that a text so short has (sacrebleu's effective order). A single
    sentence says little: there may be other good translations of it.
    """
    from sacrebleu.metrics import BLEU, CHRF

    bleu = BLEU(effective_order=True).sentence_score(output, [reference]).score
    chrf = CHRF().sentence_score(output, [reference]).score
    scores = {"bleu": bleu, "chrf": chrf, "rouge_l": 100 * rouge_l(output, reference)}
    return {name: round(score, 2) for name, score in scores.items()}
