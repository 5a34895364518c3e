"""Text in, text out: the whole way through tokenizer, encoder, search and record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, overload

import numpy as np
import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import HOP, RATE, Audio
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
from seq2seq.inference.arguments import (
    Input,
    Inputs,
    Named,
    check_interventions,
    each,
    is_list,
    opened,
    options_for,
)
from seq2seq.inference.decoder_prompt import check_length, decoder_prompt
from seq2seq.inference.inputs import Source, clean_target, fit_tokenizer, prepare
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


class Generated(NamedTuple):
    """What was written for one source: all outputs of the search, best first, and its tree.

    text: of the best output, "" where there is none.
    """

    text: str
    hypotheses: tuple[Hypothesis, ...]
    tree: BeamTree

    def __repr__(self) -> str:
        """Write the text, and how many outputs there are."""
        return f"Generated({self.text!r}, {len(self.hypotheses)} hypotheses)"


@overload
def run(
    checkpoint: Named,
    source: Input,
    options: Options | None = None,
    on_step: OnStep | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Trace: ...


@overload
def run(
    checkpoint: Named,
    source: Inputs,
    options: Options | None = None,
    on_step: OnStep | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> list[Trace]: ...


def run(
    checkpoint: Named,
    source: Any,
    options: Options | None = None,
    on_step: OnStep | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Trace | list[Trace]:
    """Decode a text or a recording, or each of a list, and record what the network did.

    checkpoint: as `load` returns it, or what it would be loaded by, for this call alone.
    self_attention: True for all of it; None for the decoder's, and for the encoder's where that
    takes no more than SELF_BYTES, since it grows with the square of the length.
    options: None for those of the checkpoint's authors. on_step is called after every decoder step
    and stops the search by returning True. interventions: what is changed inside. Raises UserError
    if there is nothing to read, if a change does not fit, or for arguments of other kinds.
    """
    ready = opened(checkpoint)

    def one(given: Input) -> Trace:
        return _run(ready, given, options, on_step, self_attention, interventions)

    return each(source, one) if is_list(source) else one(source)


def _run(
    checkpoint: Checkpoint,
    source: Input,
    options: Options | None,
    on_step: OnStep | None,
    self_attention: bool | None,
    interventions: Interventions,
) -> Trace:
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
    check_interventions(interventions)
    options = options_for(checkpoint, options)
    read = prepare(checkpoint, source, options)
    layers, heads = checkpoint.model.config.cross_attention_shape
    interventions.check(len(read.ids), layers, heads)
    inside = _fits(checkpoint, read) if self_attention is None else self_attention
    memory = interventions.encode(checkpoint.model, read.batch(checkpoint.device), inside)
    if options != (options := detect_language(checkpoint, memory, options)):
        read = read._replace(notes=(*read.notes, f"It hears {options.source_language!r}."))
    return Encoded(read, memory, options, decoder_prompt(checkpoint, options), interventions)


@overload
def force(
    checkpoint: Named,
    source: Input,
    target: str | Sequence[int],
    options: Options | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Trace: ...


@overload
def force(
    checkpoint: Named,
    source: Inputs,
    target: Sequence[str | Sequence[int]],
    options: Options | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> list[Trace]: ...


def force(
    checkpoint: Named,
    source: Any,
    target: Any,
    options: Options | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Trace | list[Trace]:
    """Record how the model would have said a given output: teacher forcing.

    target: a text, to whose tokens the end is added, or ids as a search has found them, with the
    tokens that the model begins with; a list of these for a list of sources. The trace has this one
    output; its beam tree is its path. Otherwise as run does, but nothing is searched: "search"
    takes no time. Raises UserError for a text that is empty, too long or written in characters that
    the model has never seen, and for ids that are no output.
    """
    ready = opened(checkpoint)

    def one(pair: tuple[Input, Any]) -> Trace:
        return _force(ready, *pair, options, self_attention, interventions)

    if not is_list(source):
        return one((source, target))
    if not is_list(target) or len(source) != len(target):
        raise UserError(f"There are {len(source)} sources: give a list of as many outputs.")
    return each(list(zip(source, target, strict=True)), one)


@torch.inference_mode()
def _force(
    checkpoint: Checkpoint,
    source: Input,
    target: str | Sequence[int],
    options: Options | None,
    self_attention: bool | None,
    interventions: Interventions,
) -> Trace:
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
        text = clean_target(checkpoint, target)
        tokens = checkpoint.tokenizer.encode_target(text) if text else []
        if not tokens:
            raise UserError("There is no output to follow: type one.")
        if config.unknown in tokens:
            raise UserError("This output has characters that the model has never seen.")
        tokens = [*forced_tokens, *tokens, config.eos]
    else:
        tokens = [*target] if isinstance(target, Sequence) else []
        whole = all(isinstance(token, int) for token in tokens)
        if not tokens or not whole or not all(0 <= token < config.vocabulary for token in tokens):
            raise UserError("These tokens are no output of this model: give a text, or its ids.")
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
    layers, heads = checkpoint.model.config.self_attention_shape
    filled = checkpoint.generation_config.window * RATE / HOP / checkpoint.model.config.stride
    positions = max(len(source.ids), round(filled))
    return 4 * layers * heads * positions**2 <= SELF_BYTES


@torch.inference_mode()
def find(checkpoint: Checkpoint, text: str, options: Options | None = None) -> SearchResult:
    """Decode one text as `run` does, but record nothing. Raises UserError as run does."""
    options = options_for(checkpoint, options)
    read = prepare(checkpoint, text, options)
    memory = checkpoint.model.encode(read.batch(checkpoint.device))
    prompt = decoder_prompt(checkpoint, options)
    return _find(checkpoint, memory, options, prompt, read.ids)[0]


@overload
def generate(
    checkpoint: Named,
    texts: Input,
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> Generated: ...


@overload
def generate(
    checkpoint: Named,
    texts: Inputs,
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> list[Generated]: ...


@torch.inference_mode()
def generate(
    checkpoint: Named,
    texts: Any,
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> Generated | list[Generated]:
    """Decode a text, or many in batches of like length; nothing is recorded but the search.

    checkpoint and options: as `run` has them. Recordings are transcribed. on_group is called with
    the number of texts done since the last call. Raises UserError as `run` does.
    """
    ready = opened(checkpoint)
    if ready.model.config.input == "audio":
        return transcribe(ready, texts, options, batch, on_group)
    if not is_list(texts):
        return generate(ready, [texts], options, batch, on_group)[0]
    options, config = options_for(ready, options), ready.model.config
    sources = [source.ids for source in each(texts, lambda text: prepare(ready, text, options))]
    prompt, results = decoder_prompt(ready, options), dict[int, SearchResult]()
    # A processor against copying is about one source.
    batch = 1 if ready.generation_config.no_copy_ngram else batch
    for group in in_groups([len(ids) for ids in sources], batch):
        ids = pad([sources[index] for index in group], config.pad).to(ready.device)
        memory = ready.searcher.encode(ids)
        found = _find(ready, memory, options, prompt, sources[group[0]] if batch == 1 else ())
        results.update(zip(group, found, strict=True))
        if on_group is not None:
            on_group(len(group))
    return [_generated(ready, results[index], text) for index, text in enumerate(texts)]


def _generated(checkpoint: Checkpoint, found: SearchResult, source: str = "") -> Generated:
    return Generated(to_text(checkpoint, found, source), *found)


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


@overload
def transcribe(
    checkpoint: Named,
    heard: Audio | Tensor,
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> Generated: ...


@overload
def transcribe(
    checkpoint: Named,
    heard: Sequence[Audio] | Sequence[Tensor],
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> list[Generated]: ...


@torch.inference_mode()
def transcribe(
    checkpoint: Named,
    heard: Any,
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> Generated | list[Generated]:
    """Decode a recording, or many in batches of like length; otherwise as generate does.

    heard: as `read_audio` returns it, or features (frames, bins) of it as `prepare` makes them.
    """
    ready = opened(checkpoint)
    if not is_list(heard):
        return transcribe(ready, [heard], options, batch, on_group)[0]
    generation_config, options = ready.generation_config, options_for(ready, options)
    # The decoder starts with the language, which every recording may have its own of.
    unknown = generation_config.language_leads == "heard" and not options.source_language
    batch = 1 if unknown else batch
    features = each(heard, partial(_features, ready))
    results: dict[int, SearchResult] = {}
    for group in in_groups([len(frames) for frames in features], batch):
        frames, mask = pad_frames([features[index] for index in group])
        memory = ready.model.encode(frames.to(ready.device), mask.to(ready.device))
        chosen = detect_language(ready, memory, options)
        prompt = decoder_prompt(ready, chosen)
        results.update(zip(group, _find(ready, memory, chosen, prompt), strict=True))
        if on_group is not None:
            on_group(len(group))
    return [_generated(ready, results[index]) for index in range(len(heard))]


def _features(checkpoint: Checkpoint, heard: Audio | Tensor) -> Tensor:
    """Return what a speech model hears of a recording: (frames, bins)."""
    config = checkpoint.model.config
    if config.input != "audio":
        raise UserError("This model reads text: use generate, or choose a speech model.")
    if isinstance(heard, Tensor):
        if heard.dim() != 2 or heard.shape[1] != config.bins:
            raise UserError(f"This model hears {config.bins} bands: give (frames, {config.bins}).")
        return heard
    frames = prepare(checkpoint, heard).frames
    assert frames is not None
    return frames


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
