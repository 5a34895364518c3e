"""How well a checkpoint hears: word errors of its outputs, and the loss of the texts.

Each recording is encoded once: what is written is searched, and what was said scored, from it.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jiwer
import torch

from seq2seq.catalogue import Card
from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import RATE, Audio
from seq2seq.data.batching import in_groups
from seq2seq.data.speech_corpus import Utterance, pad_frames
from seq2seq.decoding.options import Options
from seq2seq.evaluation.losses import SummedLoss, memory_loss
from seq2seq.evaluation.speech_normalization import NAME, normalised
from seq2seq.evaluation.word_errors import SUBSTITUTED, compare
from seq2seq.inference.decode import detect_language
from seq2seq.inference.generated import to_text
from seq2seq.inference.generation import decode_memory
from seq2seq.inference.inputs import prepare

CONFUSIONS = 8  # of words, shown
RATES = ("words", "word_error_rate", "character_error_rate", "without_error")


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
    Texts are compared as they are written, capitals and punctuation included; under "normalised",
    as the normaliser that is named there writes them, for models that write English; under
    "confusions", the words most often taken for others.
    on_group is called with the number of recordings done since the last call.
    """
    return evaluate_speech_with_outputs(checkpoint, corpora, options, on_group)[0]


def evaluate_speech_with_outputs(
    checkpoint: Checkpoint,
    corpora: Mapping[str, Sequence[Utterance]],
    options: Options | None = None,
    on_group: Callable[[int], None] | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Score the outputs as `evaluate_speech` does; returns them, too, in the recordings' order."""
    options = options or checkpoint.generation_config.options
    english = _writes_english(checkpoint.card, options)
    texts: list[str] = []
    outputs: list[str] = []
    by_corpus, summed, recorded = {}, SummedLoss(), 0.0
    started = time.perf_counter()
    for name, utterances in corpora.items():
        written, loss = _heard(checkpoint, utterances, options, on_group)
        said = [each.text for each in utterances]
        by_corpus[name] = _errors(said, written, english)
        texts, outputs, summed = texts + said, outputs + written, summed.plus(loss)
        recorded += sum(len(each.samples) for each in utterances) / RATE
    seconds = time.perf_counter() - started
    scores = {
        **_errors(texts, outputs, english),
        "recorded_seconds": round(recorded, 1),
        "loss": round(summed.nats / summed.tokens, 4),
        "confusions": _confusions(texts, outputs),
        "perplexity": round(math.exp(summed.nats / summed.tokens), 3),
        "seconds": round(seconds, 2),
        "recorded_seconds_per_second": round(recorded / seconds, 1),
        "by_corpus": by_corpus,
    }
    return scores, outputs


def _writes_english(card: Card, options: Options) -> bool:
    """Tell whether outputs are English: as is chosen, or as the card says; yes if neither does."""
    chosen = options.target_language or options.source_language
    # Two are those of source and output; more are all that a model knows.
    known = card.languages[-1:] if len(card.languages) == 2 else card.languages
    return chosen == "en" if chosen else "en" in known or not known


@torch.inference_mode()
def _heard(
    checkpoint: Checkpoint,
    utterances: Sequence[Utterance],
    options: Options,
    on_group: Callable[[int], None] | None,
) -> tuple[list[str], SummedLoss]:
    """Return what is written for each recording, and the loss of what is said in them."""
    written, summed = [""] * len(utterances), SummedLoss()
    sounds = (Audio(each.samples, len(each.samples) / RATE) for each in utterances)
    frames = [prepare(checkpoint, sound).frames for sound in sounds]
    lengths = [0 if each is None else len(each) for each in frames]
    # A model that hears the language itself begins each output in its own way.
    size = 1 if checkpoint.generation_config.language_leads == "heard" else 32
    for group in in_groups(lengths, size):
        stacked, mask = pad_frames([each for index in group if (each := frames[index]) is not None])
        stacked, mask = stacked.to(checkpoint.device), mask.to(checkpoint.device)
        memory = checkpoint.searcher.encode(stacked, mask)
        known = detect_language(checkpoint, memory, options)
        for index, found in zip(group, decode_memory(checkpoint, memory, known), strict=True):
            written[index] = to_text(checkpoint, found)
        if checkpoint.searcher is not checkpoint.model:  # which encodes in eight bits
            memory = checkpoint.model.encode(stacked, mask)
        said = [utterances[index].text for index in group]
        summed = summed.plus(memory_loss(checkpoint, memory, said, known))
        if on_group is not None:
            on_group(len(group))
    return written, summed


def _confusions(texts: Sequence[str], outputs: Sequence[str]) -> list[dict[str, Any]]:
    """Return the words most often taken for others, and how often."""
    compared = (compare(*both, loosely=False) for both in zip(texts, outputs, strict=True))
    pairs = Counter(
        (pair.said, pair.heard)
        for found in compared
        if found is not None
        for pair in found.pairs
        if pair.kind == SUBSTITUTED
    )
    return [
        {"said": said, "heard": heard, "times": times}
        for (said, heard), times in pairs.most_common(CONFUSIONS)
        if times > 1
    ]


def _errors(texts: list[str], outputs: list[str], english: bool) -> dict[str, Any]:
    """Count errors as texts are written, and for English normalised as well."""
    found = _rates(texts, outputs)
    pairs = [
        (normalised(text), normalised(output)) for text, output in zip(texts, outputs, strict=True)
    ]
    spoken = [pair for pair in pairs if pair[0]]
    if english and spoken:
        rates = _rates(*map(list, zip(*spoken, strict=True)))
        found["normalised"] = {"normaliser": NAME} | {key: rates[key] for key in RATES}
    return found


def _rates(texts: list[str], outputs: list[str]) -> dict[str, Any]:
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
