"""How good a checkpoint is: BLEU and chrF of its outputs, or word errors where it listens; loss and
perplexity of the references.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jiwer
import torch
from sacrebleu.metrics import BLEU, CHRF

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import in_groups, pad
from seq2seq.data.parallel_corpus import Pair, read_pairs
from seq2seq.data.reply_cleaning import fit_to_learn
from seq2seq.decoding.options import Options
from seq2seq.evaluation.losses import SummedLoss, memory_loss
from seq2seq.evaluation.reply_metrics import reply_scores
from seq2seq.evaluation.results import LENGTH_BINS
from seq2seq.evaluation.rouge import summary_scores
from seq2seq.inference.decode import decode
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.generated import to_text
from seq2seq.inference.generation import generate
from seq2seq.inference.inputs import prepare
from seq2seq.models.protocol import select

RESAMPLED = 1_000  # times that sentences are drawn anew for an interval
MISTAKES = 8  # words shown that are said wrongly


def evaluate(
    checkpoint: Checkpoint,
    pairs: Sequence[Pair],
    options: Options | None = None,
    on_group: Callable[[int], None] | None = None,
    longer: Sequence[Pair] = (),
) -> dict[str, Any]:
    """Score the outputs for the sources of the pairs.

    Pairs with the same source are its references. Returns scores by task, loss (nats a token) and
    perplexity of the references, and sentences a second of the search.
    Translation: BLEU and chrF (0-100, with sacrebleu's signatures), and the 95 % interval of BLEU
    if other sentences of the kind had been drawn (bootstrap; Koehn 2004); by source length in words
    too, there with the pairs of `longer`, where a corpus of short sentences leaves bins empty.
    Pronunciation: the same, the error rates of phonemes and of whole words in percent, each
    against the nearest reference, and some of the mistakes. Summarization: see
    summary_scores; by source length too. A chatbot: see reply_scores, since what is said has too
    many answers to compare with one.
    """
    return evaluate_with_outputs(checkpoint, pairs, options, on_group, longer)[0]


def evaluate_with_outputs(
    checkpoint: Checkpoint,
    pairs: Sequence[Pair],
    options: Options | None = None,
    on_group: Callable[[int], None] | None = None,
    longer: Sequence[Pair] = (),
) -> tuple[dict[str, Any], dict[str, str]]:
    """Score the outputs as `evaluate` does; returns the outputs by source, too."""
    references = _references(pairs)
    sources = list(references)
    chosen_options = options or checkpoint.generation_config.options
    outputs, summed, seconds = _written(checkpoint, references, chosen_options, on_group)
    task, scores = checkpoint.card.task, SCORES.get(checkpoint.card.task, translation_scores)
    by_length: list[dict[str, Any]] = []
    if task in BY_LENGTH:
        further = _references(pair for pair in longer if pair.source not in references)
        found = generate(checkpoint, list(further), options, on_group=on_group)
        more = [each.text for each in found]
        said = dict(zip(sources, outputs, strict=True)) | dict(zip(further, more, strict=True))
        by_length = _by_length(task, said, references | further)
    found_scores = {
        "sentences": len(sources),
        "references": len(pairs),
        **scores(outputs, list(references.values()), sources),
        **_loss_scores(summed),
        "seconds": round(seconds, 2),
        "sentences_per_second": round(len(sources) / seconds, 1),
        **({"by_source_length": by_length} if by_length else {}),
    }
    return found_scores, dict(zip(sources, outputs, strict=True))


@torch.inference_mode()
def _written(
    checkpoint: Checkpoint,
    references: Mapping[str, Sequence[str]],
    options: Options,
    on_group: Callable[[int], None] | None,
) -> tuple[list[str], SummedLoss, float]:
    """Return what is written for each source, as `generate` does, the loss of the references, and
    the seconds of the search. Each source is encoded once for both.
    """
    sources, texts = list(references), list(references.values())
    outputs, summed, seconds = [""] * len(sources), SummedLoss(), 0.0
    started = time.perf_counter()
    read = [prepare(checkpoint, source, options).ids for source in sources]
    prompt = decoder_prompt(checkpoint, options)
    # A processor against copying is about one source.
    size = 1 if checkpoint.generation_config.no_copy_ngram else 32
    for group in in_groups([len(ids) for ids in read], size):
        ids = pad([read[index] for index in group], checkpoint.model.config.pad)
        ids = ids.to(checkpoint.device)
        memory = checkpoint.searcher.encode(ids)
        found = decode(checkpoint, memory, options, prompt, read[group[0]] if size == 1 else ())
        for index, result in zip(group, found, strict=True):
            outputs[index] = to_text(checkpoint, result, sources[index])
        seconds += time.perf_counter() - started
        if checkpoint.searcher is not checkpoint.model:  # which encodes in eight bits
            memory = checkpoint.model.encode(ids)
        rows = [row for row, index in enumerate(group) for _ in texts[index]]
        said = [text for index in group for text in texts[index]]
        repeated = select(memory, torch.tensor(rows, device=checkpoint.device))
        summed = summed.plus(memory_loss(checkpoint, repeated, said, options))
        if on_group is not None:
            on_group(len(group))
        started = time.perf_counter()
    return outputs, summed, seconds


@torch.inference_mode()
def reference_scores(
    checkpoint: Checkpoint, pairs: Sequence[Pair], options: Options
) -> dict[str, float]:
    """Return loss and perplexity of the references, as `evaluate` does, without a search."""
    sources = [prepare(checkpoint, pair.source, options).ids for pair in pairs]
    summed = SummedLoss()
    for group in in_groups([len(ids) for ids in sources], 32):
        ids = pad([sources[index] for index in group], checkpoint.model.config.pad)
        memory = checkpoint.model.encode(ids.to(checkpoint.device))
        texts = [pairs[index].target for index in group]
        summed = summed.plus(memory_loss(checkpoint, memory, texts, options))
    return _loss_scores(summed)


def _loss_scores(summed: SummedLoss) -> dict[str, float]:
    loss = summed.nats / summed.tokens
    return {"loss": round(loss, 4), "perplexity": round(math.exp(loss), 3)}


def _references(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    references: dict[str, list[str]] = {}
    for pair in pairs:
        references.setdefault(pair.source, []).append(pair.target)
    return references


def _by_length(
    task: str, said: dict[str, str], references: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """Score the outputs, by source, in the bins of their sources' lengths that are not empty."""
    rows = []
    for low, high in LENGTH_BINS:
        # Sorted: what is drawn for an interval shall not depend on the order of the pairs.
        chosen = sorted(source for source in said if low <= len(source.split()) <= high)
        if chosen:
            outputs = [said[source] for source in chosen]
            part = SCORES.get(task, translation_scores)(
                outputs, [references[source] for source in chosen], chosen
            )
            row = {"words": [low, high], "sentences": len(chosen)}
            rows.append(row | {key: part[key] for key in BY_LENGTH[task]})
    return rows


def _sounds(
    outputs: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str]
) -> dict[str, Any]:
    errors = phonemes = 0
    wrong: list[dict[str, str]] = []
    for word, output, possible in zip(sources, outputs, references, strict=True):
        compared = [jiwer.process_words(reference, output) for reference in possible]
        nearest = min(compared, key=lambda each: each.wer)
        errors += nearest.substitutions + nearest.deletions + nearest.insertions
        phonemes += nearest.substitutions + nearest.deletions + nearest.hits
        if nearest.wer > 0:
            wrong.append({"word": word, "said": output})
    return {
        **translation_scores(outputs, references, sources),
        "phoneme_error_rate": round(100 * errors / phonemes, 2),
        "word_error_rate": round(100 * len(wrong) / len(outputs), 2),
        "mistakes": wrong[:: max(1, len(wrong) // MISTAKES)][:MISTAKES],
    }


def translation_scores(
    outputs: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str]
) -> dict[str, Any]:
    """Score translations against all of their references: BLEU with its interval, and chrF."""
    most = max(map(len, references))
    # sacrebleu wants one list for each reference number, with None where a source has fewer.
    streams: Any = [
        [each[n] if n < len(each) else None for each in references] for n in range(most)
    ]
    bleu, chrf = BLEU(), CHRF()
    found = bleu.corpus_score(outputs, streams, n_bootstrap=RESAMPLED)
    drawn = json.loads(found.format(4, signature=str(bleu.get_signature()), is_json=True))
    middle, reach = drawn.get("confidence_mean", 0.0), drawn.get("confidence_var", 0.0)
    return {
        "bleu": round(found.score, 2),
        "bleu_interval": [round(max(middle - reach, 0), 2), round(min(middle + reach, 100), 2)],
        "chrf": round(chrf.corpus_score(outputs, streams).score, 2),
        "bleu_signature": str(bleu.get_signature()),
        "chrf_signature": str(chrf.get_signature()),
    }


def _replies(
    outputs: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str]
) -> dict[str, Any]:
    return reply_scores(outputs)


# What is measured, by task; translations are the rule.
SCORES: dict[str, Callable[..., dict[str, Any]]] = {
    "spelling": _sounds,
    "summarization": summary_scores,
    "chatbot": _replies,
}
BY_LENGTH = {
    "translation": ("bleu", "bleu_interval", "chrf"),
    "spelling": ("bleu", "bleu_interval", "chrf"),
    "summarization": ("rouge_l", "kept_f1"),
}


def read_references(checkpoint: Checkpoint, path: Path, columns: Sequence[str] = ()) -> list[Pair]:
    """Read the pairs that a checkpoint is scored on, as read_pairs does.

    Turns are joined as it knows them. The replies of its own kind of conversation are tidied, and
    rude ones left out, as in training: what it learns to write is what it is measured by.
    """
    pairs = read_pairs(path, columns, checkpoint.generation_config.turn_separator)
    return fit_to_learn(pairs) if checkpoint.generation_config.word_filter is not None else pairs
