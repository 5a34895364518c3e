"""From a memory to outputs: what options and generation config ask of a search, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.generation_config import DecoderPrompt
from seq2seq.decoding.logits_processors import (
    LogitsProcessor,
    after,
    filter_words,
    forbid,
    forbid_first,
    forbid_sequences,
    forced_at,
    forced_prefix,
    minimum_length,
    no_copy,
    no_repeat,
    renormalised,
    spoken_times,
)
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import UNSTEERED, SearchResult, Steering, search
from seq2seq.inference.mutual_information import rank_by_information
from seq2seq.models.protocol import Memory


def logits_processors(
    checkpoint: Checkpoint,
    options: Options,
    prompt: DecoderPrompt,
    source: Sequence[int] = (),
) -> list[LogitsProcessor]:
    """Turn options and the model's generation config into logits processors.

    source: its ids, where all rows have the same one.
    """
    forced, prefix = prompt.forced_tokens, prompt.prefix
    generation_config = checkpoint.generation_config
    # Published models count what the decoder reads first.
    counted = prompt.start if checkpoint.family else ()
    processors: list[LogitsProcessor] = []
    if options.no_repeat_ngram:
        begun = len(forced) + len(prefix)
        processors.append(no_repeat(options.no_repeat_ngram, begun, counted))
    if generation_config.no_copy_ngram and source:
        processors.append(no_copy(generation_config.no_copy_ngram, source, counted))
    if options.min_length:
        processors.append(minimum_length(options.min_length, checkpoint.ends))
    if generation_config.forbidden:
        processors.append(forbid(generation_config.forbidden))
    if generation_config.forbidden_sequences:
        processors.append(forbid_sequences(generation_config.forbidden_sequences, counted))
    if generation_config.forbidden_first:
        processors.append(forbid_first(generation_config.forbidden_first))
    if generation_config.word_filter is not None:
        processors.append(filter_words(generation_config.word_filter))
    if options.timestamps:
        processors += _time_processors(checkpoint)
    if prefix:
        given = [*forced, *prefix]
        processors = [
            *(after(len(given), processor) for processor in processors),
            forced_prefix(given),
        ]
    processors += [forced_at(step, token) for step, token in enumerate(forced)]
    if generation_config.end_at_limit is not None and options.max_length:
        processors.append(forced_at(options.max_length - 1, generation_config.end_at_limit))
    if generation_config.renormalise:
        processors.append(renormalised)
    return processors


def _time_processors(checkpoint: Checkpoint) -> list[LogitsProcessor]:
    """Return what makes a speech model write times, nothing for one that knows none."""
    speech = checkpoint.generation_config.speech
    if speech is None or speech.first_time is None:
        return []
    times = spoken_times(speech.first_time, checkpoint.model.config.eos, speech.latest_start)
    return [times] if speech.no_times is None else [forbid([speech.no_times]), times]


@torch.inference_mode()
def length_limits(
    checkpoint: Checkpoint, options: Options, prompt: DecoderPrompt, lengths: Sequence[int]
) -> list[int]:
    """Return the most tokens that outputs of sources of so many tokens may have."""
    begun = len(prompt.forced_tokens) + len(prompt.prefix)
    limits = [options.length_limit(length, begun) for length in lengths]
    longest = checkpoint.model.config.longest
    return limits if longest is None else [min(each, longest - prompt.steps) for each in limits]


def decode(
    checkpoint: Checkpoint,
    memory: Memory,
    options: Options,
    prompt: DecoderPrompt,
    source: Sequence[int] = (),
    steering: Steering = UNSTEERED,
) -> list[SearchResult]:
    """Search the outputs of each row of a memory, with all that the model and the options ask for.

    source: its ids, where all rows have the same one. steering: its limits, if there are none, are
    those of the memory's lengths; its processors come after the model's and the options' own.
    """
    lengths = memory.mask.sum(dim=1).tolist()
    steering = steering._replace(
        processors=[
            *logits_processors(checkpoint, options, prompt, source),
            *steering.processors,
        ],
        limits=steering.limits or length_limits(checkpoint, options, prompt, lengths),
    )
    # What is ranked anew is all that the search has found.
    wide = replace(options, n_best=options.rows) if options.mmi_weight else options
    decoder = checkpoint.searcher.decoder
    found = search(decoder, memory, wide, prompt.start, checkpoint.ends, steering)
    if options.mmi_weight:
        return rank_by_information(checkpoint, found, options, prompt)
    return found


def detect_language(checkpoint: Checkpoint, memory: Memory, options: Options) -> Options:
    """Fill in the language that a speech model hears, where none was chosen.

    It is the likeliest of the language tokens after the first start token. Radford et al. 2022.
    """
    generation_config, languages = checkpoint.generation_config, checkpoint.tokenizer.languages
    if generation_config.language_leads != "heard" or options.source_language or not languages:
        return options
    decoder = checkpoint.searcher.decoder
    first = torch.tensor([generation_config.start[0]], device=memory.states.device)
    logits = decoder.step(first, decoder.start(memory), memory).logits[0]
    heard = max(languages, key=lambda code: float(logits[languages[code]]))
    return replace(options, source_language=heard)
