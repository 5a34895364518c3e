"""Text in, text out: the whole way through tokenizer, encoder, search and record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import Audio
from seq2seq.data.batching import in_groups, pad
from seq2seq.data.series import Series
from seq2seq.data.speech_corpus import pad_frames
from seq2seq.decoding.generation_config import DecoderPrompt
from seq2seq.decoding.hypothesis import ACTIVE, FINISHED, BeamTree, Hypothesis
from seq2seq.decoding.interventions import NOTHING, Interventions
from seq2seq.decoding.logits_processors import (
    LogitsProcessor,
    after,
    filter_words,
    forbid,
    forbid_first,
    forced_at,
    forced_prefix,
    minimum_length,
    no_copy,
    no_repeat,
    renormalised,
    spoken_times,
)
from seq2seq.decoding.options import Options
from seq2seq.decoding.scoring import score
from seq2seq.decoding.search import OnStep, SearchResult, search
from seq2seq.errors import UserError
from seq2seq.inference.decoder_prompt import check_length, decoder_prompt
from seq2seq.inference.inputs import Source, clean, fit_tokenizer, prepare
from seq2seq.inference.record import Encoded, chances, observe, record
from seq2seq.models.protocol import Change, Memory, Steps, select
from seq2seq.trace import Trace

SELF_BYTES = 20_000_000  # of self-attention that is kept unasked


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
    eos, generation_config = checkpoint.model.config.eos, checkpoint.generation_config
    processors: list[LogitsProcessor] = []
    if options.no_repeat_ngram:
        processors.append(no_repeat(options.no_repeat_ngram, len(forced) + len(prefix)))
    if generation_config.no_copy_ngram and source:
        processors.append(no_copy(generation_config.no_copy_ngram, source))
    if options.min_length:
        processors.append(minimum_length(options.min_length, eos))
    if generation_config.forbidden:
        processors.append(forbid(generation_config.forbidden))
    if generation_config.forbidden_first:
        processors.append(forbid_first(generation_config.forbidden_first))
    if generation_config.word_filter is not None:
        processors.append(filter_words(generation_config.word_filter))
    speech = generation_config.speech
    if options.timestamps and speech is not None and speech.first_time is not None:
        processors += [] if speech.no_times is None else [forbid([speech.no_times])]
        processors.append(spoken_times(speech.first_time, eos, speech.latest_start))
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


def run(
    checkpoint: Checkpoint,
    source: str | Audio | Series,
    options: Options | None = None,
    on_step: OnStep | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Trace:
    """Decode one text or recording and record what the network did.

    self_attention: True for all of it; None for the decoder's, and for the encoder's where that
    takes no more than SELF_BYTES, since it grows with the square of the length.
    options: None for those of the checkpoint's authors. on_step is called after every decoder step
    and stops the search by returning True. interventions: what is changed inside. Raises UserError
    if there is nothing to read, or if a change does not fit.
    """
    started = time.perf_counter()
    checkpoint = fit_tokenizer(checkpoint, source, options)
    with torch.inference_mode():
        encoded = _encode(checkpoint, source, options, self_attention, interventions)
        if encoded.memory.states.is_cuda:  # a GPU works on while the clock is read
            torch.cuda.synchronize()
        searching = time.perf_counter()
        ids = encoded.source.ids if encoded.source.frames is None else ()
        changes = interventions.at if interventions.attention else None
        _, memory, chosen, prompt, _ = encoded
        [found] = _find(checkpoint, memory, chosen, prompt, ids, on_step=on_step, changes=changes)
        searched = time.perf_counter()
        steps = observe(checkpoint, encoded, found.hypotheses[0].tokens)
    seconds = {
        "encode": searching - started,
        "search": searched - searching,
        "record": time.perf_counter() - searched,
    }
    return record(checkpoint, encoded, steps, found, seconds, self_attention is not False)


def _encode(
    checkpoint: Checkpoint,
    source: str | Audio | Series,
    options: Options | None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Encoded:
    """Make a source ready and encode it, in float32. self_attention: as `run` has it."""
    options = options or checkpoint.generation_config.options
    read = prepare(checkpoint, source, options)
    layers, heads = checkpoint.model.config.attention_shape
    interventions.check(len(read.ids), layers, heads)
    inside = _fits(checkpoint, read) if self_attention is None else self_attention
    memory = interventions.encode(checkpoint.model, read.batch(checkpoint.device), inside)
    if options != (options := detect_language(checkpoint, memory, options)):
        read = read._replace(notes=(*read.notes, f"It hears {options.source_language!r}."))
    return Encoded(read, memory, options, decoder_prompt(checkpoint, options), interventions)


@torch.inference_mode()
def force(
    checkpoint: Checkpoint,
    source: str | Audio | Series,
    target: str | Sequence[int],
    options: Options | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Trace:
    """Record how the model would have said a given output: teacher forcing.

    target: a text, to whose tokens the end is added, or ids as a search has found them, with the
    tokens that the model begins with. The trace has this one output; its beam tree is its path.
    Otherwise as run does, but nothing is searched: "search" takes no time. Raises UserError for a
    text that is empty, too long or written in characters that the model has never seen, and for ids
    that are no output.
    """
    started = time.perf_counter()
    checkpoint = fit_tokenizer(checkpoint, source, options)
    encoded = _encode(checkpoint, source, options, self_attention, interventions)
    tokens = _given(checkpoint, target, encoded.prompt.forced_tokens)
    observing = time.perf_counter()
    steps = observe(checkpoint, encoded, tokens)
    found = _path(checkpoint, encoded, steps, tokens)
    seconds = {
        "encode": observing - started,
        "search": 0.0,
        "record": time.perf_counter() - observing,
    }
    return record(checkpoint, encoded, steps, found, seconds, self_attention is not False)


def _given(
    checkpoint: Checkpoint, target: str | Sequence[int], forced_tokens: Sequence[int]
) -> list[int]:
    """Return the tokens of an output to follow. Raises UserError as `force` does."""
    config = checkpoint.model.config
    if isinstance(target, str):
        text = clean(target)
        tokens = checkpoint.tokenizer.encode_target(text) if text else []
        if not tokens:
            raise UserError("There is no output to follow: type one.")
        if config.unknown in tokens:
            raise UserError("This output has characters that the model has never seen.")
        tokens = [*forced_tokens, *tokens, config.eos]
    else:
        tokens = list(target)
        if not tokens or not all(0 <= token < config.vocabulary for token in tokens):
            raise UserError("These tokens are no output of this model.")
    check_length(checkpoint, tokens, "The model cannot follow an output of")
    return tokens


@torch.inference_mode()
def coverage(
    checkpoint: Checkpoint,
    source: str | Audio | Series,
    outputs: Sequence[Sequence[int]],
    options: Options | None = None,
) -> np.ndarray:
    """Return how much each source position was looked at over each output, (outputs, source).

    Added over steps, averaged over layers and heads: what a coverage penalty is about. outputs: ids
    as a search has found them. One teacher-forced pass over all of them, in the precision of the
    search. Raises ValueError for a model without attention.
    """
    _, memory, _, prompt, _ = _encode(checkpoint, source, options)
    config, device = checkpoint.model.config, checkpoint.device
    target = pad([prompt.before(ids) for ids in outputs], config.pad).to(device)
    rows = select(memory, torch.zeros(len(outputs), dtype=torch.long, device=device))
    weights = checkpoint.searcher.decoder(target, rows, record=True).weights
    if weights is None:
        raise ValueError("a model without attention covers nothing")
    looked = weights[:, prompt.steps :, ..., : int(memory.mask.sum())].float().mean(dim=(2, 3))
    lengths = torch.tensor([len(ids) for ids in outputs], device=looked.device)
    real = torch.arange(looked.shape[1], device=looked.device) < lengths[:, None]
    return (looked * real[..., None]).sum(dim=1).cpu().double().numpy()


def _path(
    checkpoint: Checkpoint, encoded: Encoded, seen: Steps, tokens: Sequence[int]
) -> SearchResult:
    """Put a given output into the form in which a search leaves its own."""
    _, chosen, ranks = chances(seen, tokens)
    steps, each = np.arange(len(tokens)), chosen.double().cpu().numpy()
    cumulative = each.cumsum()
    # Without a coverage penalty: what is followed has not been searched.
    by_length = score(cumulative, steps + 1, encoded.options.length_penalty)
    finished = tokens[-1] == checkpoint.model.config.eos
    status = np.where(finished & (steps == len(tokens) - 1), FINISHED, ACTIVE)
    tree = BeamTree(
        steps, steps - 1, np.array(tokens), each, cumulative, by_length, ranks.cpu().numpy(), status
    )
    best = Hypothesis(
        tuple(tokens), tuple(each.tolist()), float(by_length[-1]), finished, len(tokens) - 1
    )
    return SearchResult((best,), tree)


def _fits(checkpoint: Checkpoint, source: Source) -> bool:
    config = checkpoint.model.config
    positions = config.max_source if checkpoint.generation_config.window else len(source.ids)
    return 4 * config.encoder_layers * config.heads * positions**2 <= SELF_BYTES


@torch.inference_mode()
def find(checkpoint: Checkpoint, text: str, options: Options | None = None) -> SearchResult:
    """Decode one text as `run` does, but record nothing. Raises UserError as run does."""
    options = options or checkpoint.generation_config.options
    read = prepare(checkpoint, text, options)
    memory = checkpoint.model.encode(read.batch(checkpoint.device))
    prompt = decoder_prompt(checkpoint, options)
    return _find(checkpoint, memory, options, prompt, read.ids)[0]


@torch.inference_mode()
def generate(
    checkpoint: Checkpoint,
    texts: Sequence[str],
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> list[SearchResult]:
    """Decode many texts in batches of like length; nothing is recorded but the search.

    on_group is called with the number of texts done since the last call.
    """
    options, config = options or checkpoint.generation_config.options, checkpoint.model.config
    sources = [prepare(checkpoint, text, options).ids for text in texts]
    prompt, results = decoder_prompt(checkpoint, options), dict[int, SearchResult]()
    # A processor against copying is about one source.
    batch = 1 if checkpoint.generation_config.no_copy_ngram else batch
    for group in in_groups([len(ids) for ids in sources], batch):
        ids = pad([sources[index] for index in group], config.pad).to(checkpoint.device)
        memory = checkpoint.searcher.encode(ids)
        found = _find(checkpoint, memory, options, prompt, sources[group[0]] if batch == 1 else ())
        results.update(zip(group, found, strict=True))
        if on_group is not None:
            on_group(len(group))
    return [results[index] for index in range(len(texts))]


@torch.inference_mode()
def decode_memory(
    checkpoint: Checkpoint,
    memory: Memory,
    options: Options | None = None,
    lengths: Sequence[int] = (),
    on_step: OnStep | None = None,
) -> list[SearchResult]:
    """Decode each row of a memory, whatever it was made of; nothing is recorded but the search.

    lengths: tokens of the sources, by which the outputs are limited, () for those of the memory.
    on_step is called after every decoder step and stops the search by returning True.
    """
    options = options or checkpoint.generation_config.options
    prompt = decoder_prompt(checkpoint, options)
    return _find(checkpoint, memory, options, prompt, on_step=on_step, lengths=lengths)


def detect_language(checkpoint: Checkpoint, memory: Memory, options: Options) -> Options:
    """Fill in the language that a speech model hears, where none was chosen.

    It is the likeliest of the language tokens after the first start token. Radford et al. 2022.
    """
    generation_config, languages = checkpoint.generation_config, checkpoint.tokenizer.languages
    if generation_config.language_leads != "heard" or options.source_language or not languages:
        return options
    decoder = checkpoint.model.decoder
    first = torch.tensor([generation_config.start[0]], device=memory.states.device)
    logits = decoder.step(first, decoder.start(memory), memory).logits[0]
    heard = max(languages, key=lambda code: float(logits[languages[code]]))
    return replace(options, source_language=heard)


@torch.inference_mode()
def transcribe(
    checkpoint: Checkpoint,
    heard: Sequence[Tensor],
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> list[SearchResult]:
    """Decode many recordings, as features (frames, bins) each; otherwise as generate does."""
    generation_config = checkpoint.generation_config
    options = options or generation_config.options
    # The decoder starts with the language, which every recording may have its own of.
    unknown = generation_config.language_leads == "heard" and not options.source_language
    batch = 1 if unknown else batch
    results: dict[int, SearchResult] = {}
    for group in in_groups([len(each) for each in heard], batch):
        frames, mask = pad_frames([heard[index] for index in group])
        memory = checkpoint.model.encode(frames.to(checkpoint.device), mask.to(checkpoint.device))
        chosen = detect_language(checkpoint, memory, options)
        prompt = decoder_prompt(checkpoint, chosen)
        results.update(zip(group, _find(checkpoint, memory, chosen, prompt), strict=True))
        if on_group is not None:
            on_group(len(group))
    return [results[index] for index in range(len(heard))]


def _find(
    checkpoint: Checkpoint,
    memory: Memory,
    options: Options,
    prompt: DecoderPrompt,
    source: Sequence[int] = (),
    *,
    on_step: OnStep | None = None,
    changes: Callable[[int], Change | None] | None = None,
    lengths: Sequence[int] = (),
) -> list[SearchResult]:
    config = checkpoint.model.config
    lengths = lengths or memory.mask.sum(dim=1).tolist()
    begun = len(prompt.forced_tokens) + len(prompt.prefix)
    limits = [options.length_limit(length, begun) for length in lengths]
    if config.longest is not None:
        limits = [min(limit, config.longest - prompt.steps) for limit in limits]
    processors = logits_processors(checkpoint, options, prompt, source)
    decoder = checkpoint.searcher.decoder
    return search(
        decoder, memory, options, prompt.start, config.eos, processors, on_step, limits, changes
    )


def to_text(checkpoint: Checkpoint, found: SearchResult, source: str = "") -> str:
    """Return the text of the best output, for a source as Checkpoint.text needs it."""
    return checkpoint.text(found.hypotheses[0].tokens if found.hypotheses else (), source)
