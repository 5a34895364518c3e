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
from sacrebleu.metrics import BLEU, CHRF

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import RATE, Audio
from seq2seq.data.parallel_corpus import Pair, read_pairs
from seq2seq.data.reply_cleaning import fit_to_learn
from seq2seq.data.speech_corpus import Utterance
from seq2seq.decoding.options import Options
from seq2seq.evaluation.losses import reference_loss
from seq2seq.evaluation.reply_metrics import reply_scores
from seq2seq.evaluation.results import LENGTH_BINS
from seq2seq.evaluation.rouge import summary_scores
from seq2seq.inference.generation import generate
from seq2seq.inference.inputs import Source, prepare
from seq2seq.inference.transcription import transcribe

RESAMPLED = 1_000  # times that sentences are drawn anew for an interval


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
    Pronunciation: the same, and the error rates of phonemes and of whole words in percent, each
    against the nearest reference. Summarization: see summary_scores; by source length too. A
    chatbot: see reply_scores, since what is said has too many answers to compare with one.
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
    started = time.perf_counter()
    found = generate(checkpoint, sources, options, on_group=on_group)
    seconds = time.perf_counter() - started
    outputs = [each.text for each in found]
    chosen_options = options or checkpoint.generation_config.options
    read = [prepare(checkpoint, pair.source, chosen_options) for pair in pairs]
    loss = reference_loss(checkpoint, read, [pair.target for pair in pairs], chosen_options)
    task, scores = checkpoint.card.task, SCORES.get(checkpoint.card.task, _translations)
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
        "loss": round(loss, 4),
        "perplexity": round(math.exp(loss), 3),
        "seconds": round(seconds, 2),
        "sentences_per_second": round(len(sources) / seconds, 1),
        **({"by_source_length": by_length} if by_length else {}),
    }
    return found_scores, dict(zip(sources, outputs, strict=True))


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
            part = SCORES.get(task, _translations)(
                outputs, [references[source] for source in chosen], chosen
            )
            row = {"words": [low, high], "sentences": len(chosen)}
            rows.append(row | {key: part[key] for key in BY_LENGTH[task]})
    return rows


def evaluate_speech(
    checkpoint: Checkpoint,
    corpora: Mapping[str, Sequence[Utterance]],
    options: Options | None = None,
    on_group: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Score the outputs for recordings, by the name of their corpus.

    Returns the error rates in words and in characters (insertions, deletions and substitutions for
    100 that were said), the share of recordings without an error, loss (nats a token) and
    perplexity of the texts, and how many seconds are heard in one; the rates by corpus too.
    Texts are compared as they are written, capitals and punctuation included.
    """
    texts: list[str] = []
    outputs: list[str] = []
    sources: list[Source] = []
    by_corpus, seconds, recorded = {}, 0.0, 0.0
    for name, utterances in corpora.items():
        started = time.perf_counter()
        sounds = [Audio(each.samples, len(each.samples) / RATE) for each in utterances]
        read = [prepare(checkpoint, sound) for sound in sounds]
        heard = [source.frames for source in read if source.frames is not None]
        found = transcribe(checkpoint, heard, options, on_group=on_group)
        seconds += time.perf_counter() - started
        recorded += sum(sound.seconds for sound in sounds)
        said = [each.text for each in utterances]
        written = [each.text for each in found]
        by_corpus[name] = _errors(said, written)
        texts, outputs = texts + said, outputs + written
        sources += read
    loss = reference_loss(
        checkpoint, sources, texts, options or checkpoint.generation_config.options
    )
    return {
        **_errors(texts, outputs),
        "recorded_seconds": round(recorded, 1),
        "loss": round(loss, 4),
        "perplexity": round(math.exp(loss), 3),
        "seconds": round(seconds, 2),
        "recorded_seconds_per_second": round(recorded / seconds, 1),
        "by_corpus": by_corpus,
    }


def _sounds(
    outputs: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str]
) -> dict[str, Any]:
    errors = phonemes = wrong = 0
    for output, possible in zip(outputs, references, strict=True):
        compared = [jiwer.process_words(reference, output) for reference in possible]
        nearest = min(compared, key=lambda each: each.wer)
        errors += nearest.substitutions + nearest.deletions + nearest.insertions
        phonemes += nearest.substitutions + nearest.deletions + nearest.hits
        wrong += nearest.wer > 0
    return {
        **_translations(outputs, references, sources),
        "phoneme_error_rate": round(100 * errors / phonemes, 2),
        "word_error_rate": round(100 * wrong / len(outputs), 2),
    }


def _errors(texts: list[str], outputs: list[str]) -> dict[str, Any]:
    words = jiwer.process_words(texts, outputs)
    right = sum(text == output for text, output in zip(texts, outputs, strict=True))
    return {
        "recordings": len(texts),
        "words": words.hits + words.substitutions + words.deletions,
        "word_error_rate": round(100 * words.wer, 2),
        "character_error_rate": round(100 * float(jiwer.cer(texts, outputs)), 2),
        "without_error": round(100 * right / len(texts), 2),
        "substitutions": words.substitutions,
        "deletions": words.deletions,
        "insertions": words.insertions,
    }


def _translations(
    outputs: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str]
) -> dict[str, Any]:
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
