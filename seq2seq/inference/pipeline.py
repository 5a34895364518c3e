"""Text in, text out: the whole way through tokenizer, encoder, search and record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
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
from seq2seq.decoding.options import Options
from seq2seq.decoding.scoring import score
from seq2seq.decoding.search import OnStep, SearchResult
from seq2seq.errors import UserError
from seq2seq.families.language_codes import language_name
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
from seq2seq.inference.decode import decode, detect_language
from seq2seq.inference.decoder_prompt import check_length, decoder_prompt
from seq2seq.inference.inputs import Source, clean_target, fit_tokenizer, prepare, speech_features
from seq2seq.inference.long_form import OnWindow, Transcript, is_long, transcribe_long
from seq2seq.inference.record import Encoded, chances, observe, observe_together, record
from seq2seq.models.protocol import Memory, Steps, select
from seq2seq.trace import Trace

SELF_BYTES = 20_000_000  # of self-attention that is kept unasked
RECORDED_AT_ONCE, RECORDED_LOGITS = 16, 100_000_000  # texts; numbers, for outputs of 64 tokens
PHASES = ("encode", "search", "record")


class Generated(NamedTuple):
    """What was written for one source: all outputs of the search, best first, and its tree.

    text: of the best output, "" where there is none. transcript: of a recording that took several
    windows, whose segments put together are the one output.
    """

    text: str
    hypotheses: tuple[Hypothesis, ...]
    tree: BeamTree
    transcript: Transcript | None = None

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
    and stops the search by returning True. interventions: what is changed inside. Texts of a list
    are decoded and recorded in batches where nothing of these is asked for; each trace then has its
    share of the batch's seconds. Raises UserError if there is nothing to read, if a change does not
    fit, or for arguments of other kinds.
    """
    ready = opened(checkpoint)

    def one(given: Input) -> Trace:
        return _run(ready, given, options, on_step, self_attention, interventions)

    if not is_list(source):
        return one(source)
    together = on_step is None and interventions == NOTHING and self_attention is False
    if together and _can_batch(ready, source, options):
        return _run_together(ready, source, options_for(ready, options))
    return each(source, one)


def _can_batch(checkpoint: Checkpoint, sources: Sequence[Any], options: Options | None) -> bool:
    """Tell whether texts can be searched in one batch: what is drawn at random is of a row alone,
    and a processor against copying is about one source.
    """
    chosen = options_for(checkpoint, options)
    texts = checkpoint.model.config.input == "tokens" and all(
        isinstance(one, str) for one in sources
    )
    return texts and chosen.method != "sample" and not checkpoint.generation_config.no_copy_ngram


@torch.inference_mode()
def _run_together(checkpoint: Checkpoint, texts: Sequence[str], options: Options) -> list[Trace]:
    """Decode texts in batches of like length and record each batch in one pass; as `_run` does."""
    config, prompt = checkpoint.model.config, decoder_prompt(checkpoint, options)
    sources = each(texts, lambda text: prepare(checkpoint, text, options))
    batch = max(1, min(RECORDED_AT_ONCE, RECORDED_LOGITS // (64 * config.vocabulary)))
    traces: dict[int, Trace] = {}
    for group in in_groups([len(source.ids) for source in sources], batch):
        started = time.perf_counter()
        ids = pad([sources[index].ids for index in group], config.pad).to(checkpoint.device)
        memory = checkpoint.model.encode(ids)
        searching = time.perf_counter()
        found = _find_all(checkpoint, memory, [sources[index] for index in group], options, prompt)
        searched = time.perf_counter()
        outputs = [each.hypotheses[0].tokens for each in found]
        steps = observe_together(checkpoint, memory, prompt, outputs)
        times = (searching - started, searched - searching, time.perf_counter() - searched)
        seconds = dict(zip(PHASES, (part / len(group) for part in times), strict=True))
        for row, index in enumerate(group):
            alone = select(memory, torch.tensor([row], device=checkpoint.device))
            encoded = Encoded(sources[index], alone, options, prompt)
            traces[index] = record(checkpoint, encoded, steps[row], found[row], dict(seconds))
    return [traces[index] for index in range(len(texts))]


def _find_all(
    checkpoint: Checkpoint,
    memory: Memory,
    sources: Sequence[Source],
    options: Options,
    prompt: DecoderPrompt,
) -> list[SearchResult]:
    """Search for each text; in eight bits one by one, as company would change the rounding."""
    if checkpoint.quantized is None:
        return decode(checkpoint, memory, options, prompt)
    found = []
    for source in sources:
        alone = checkpoint.model.encode(source.batch(checkpoint.device))
        found += decode(checkpoint, alone, options, prompt)
    return found


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
        [found] = decode(checkpoint, memory, chosen, prompt, ids, on_step=on_step, changes=changes)
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
        note = f"Detected: {language_name(options.source_language)}."
        read = read._replace(notes=(*read.notes, note))
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
    finished = tokens[-1] in checkpoint.ends
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
    return decode(checkpoint, memory, options, prompt, read.ids)[0]


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
        found = decode(ready, memory, options, prompt, sources[group[0]] if batch == 1 else ())
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
    return decode(checkpoint, memory, options, prompt, on_step=on_step, lengths=lengths)


@overload
def transcribe(
    checkpoint: Named,
    heard: Audio | Tensor,
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
    on_window: OnWindow | None = None,
) -> Generated: ...


@overload
def transcribe(
    checkpoint: Named,
    heard: Sequence[Audio] | Sequence[Tensor],
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
    on_window: OnWindow | None = None,
) -> list[Generated]: ...


@torch.inference_mode()
def transcribe(
    checkpoint: Named,
    heard: Any,
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
    on_window: OnWindow | None = None,
) -> Generated | list[Generated]:
    """Decode a recording, or many in batches of like length; otherwise as generate does.

    heard: as `read_audio` returns it, or features (frames, bins) of it as `prepare` makes them.
    What is longer than the window of a model that writes times is heard window by window: see
    `transcribe_long`, which also takes settings, and Generated.transcript. on_window is called with
    the transcript after each of these windows, and stops this recording by returning True.
    """
    ready = opened(checkpoint)
    if not is_list(heard):
        return transcribe(ready, [heard], options, batch, on_group, on_window)[0]
    generation_config, options = ready.generation_config, options_for(ready, options)
    # The decoder starts with the language, which every recording may have its own of.
    unknown = generation_config.language_leads == "heard" and not options.source_language
    batch = 1 if unknown else batch
    features = each(heard, partial(speech_features, ready))
    long = [index for index, frames in enumerate(features) if is_long(ready, len(frames))]
    short = [index for index in range(len(features)) if index not in set(long)]
    results: dict[int, Generated] = {}
    for places in in_groups([len(features[index]) for index in short], batch):
        group = [short[place] for place in places]
        found = _short(ready, [features[index] for index in group], options)
        results.update(zip(group, found, strict=True))
        if on_group is not None:
            on_group(len(group))
    for index in long:
        results[index] = _long(ready, features[index], options, on_window)
        if on_group is not None:
            on_group(1)
    return [results[index] for index in range(len(heard))]


def _short(checkpoint: Checkpoint, features: list[Tensor], options: Options) -> list[Generated]:
    """Transcribe recordings that one window holds, all at once."""
    frames, mask = pad_frames(features)
    # In eight bits where the search is in them, as texts are: three quarters of the time of the
    # encoders of Whisper tiny and base on one thread. A run encodes in float, for the record.
    memory = checkpoint.searcher.encode(frames.to(checkpoint.device), mask.to(checkpoint.device))
    chosen = detect_language(checkpoint, memory, options)
    found = decode(checkpoint, memory, chosen, decoder_prompt(checkpoint, chosen))
    return [_generated(checkpoint, each) for each in found]


def _long(
    checkpoint: Checkpoint, frames: Tensor, options: Options, on_window: OnWindow | None
) -> Generated:
    """Transcribe a long recording as one output: its tree is the path of what was written."""
    transcript = transcribe_long(checkpoint, frames, options, on_window=on_window)
    tokens = transcript.tokens
    chosen = np.array([p for window in transcript.windows for p in window.kept_log_probabilities])
    cumulative, steps = chosen.cumsum(), np.arange(len(tokens))
    by_length = score(cumulative, steps + 1, options.length_penalty)
    ranks, status = np.zeros_like(steps), np.full_like(steps, ACTIVE)
    tree = BeamTree(
        steps, steps - 1, np.array(tokens, int), chosen, cumulative, by_length, ranks, status
    )
    if not tokens:
        return Generated(transcript.text, (), tree, transcript)
    last = len(tokens) - 1
    ended = transcript.is_complete
    best = Hypothesis(tokens, tuple(chosen.tolist()), float(by_length[-1]), ended, last)
    return Generated(transcript.text, (best,), tree, transcript)


def to_text(checkpoint: Checkpoint, found: SearchResult, source: str = "") -> str:
    """Return the text of the best output, for a source as Checkpoint.text needs it."""
    return checkpoint.text(found.hypotheses[0].tokens if found.hypotheses else (), source)
