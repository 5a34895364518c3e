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
from seq2seq.data.speech_corpus import pad_frames
from seq2seq.decoding.hypothesis import FINISHED, KEPT, BeamTree, Hypothesis
from seq2seq.decoding.interventions import NOTHING, Interventions
from seq2seq.decoding.logits_processors import (
    Rule,
    after,
    forbid,
    forbid_first,
    forced_at,
    forced_prefix,
    mannered,
    minimum_length,
    no_copy,
    no_repeat,
    renormalised,
    spoken_times,
)
from seq2seq.decoding.options import MAX_LENGTH, Options
from seq2seq.decoding.search import Found, OnStep, search
from seq2seq.errors import UserError
from seq2seq.inference.inputs import Source, clean, prepare
from seq2seq.inference.record import record, teach
from seq2seq.models.protocol import Memory, select
from seq2seq.trace import Trace

SELF_BYTES = 20_000_000  # of self-attention that is kept unasked


def forced_tokens(checkpoint: Checkpoint, options: Options) -> list[int]:
    """Return the ids that the output begins with after those that the model itself begins with.

    Raises UserError if they are none of this model's, have characters that it has never seen, or
    are too many.
    """
    config = checkpoint.model.config
    if options.prefix_tokens:
        _, forced = checkpoint.conventions.beginning(options, checkpoint.tokenizer.languages)
        tokens = list(options.prefix_tokens)
        if tuple(tokens[: len(forced)]) == forced:
            tokens = tokens[len(forced) :]
        known = all(0 <= token < config.vocabulary for token in tokens)
        if not known or config.eos in tokens[:-1]:
            raise UserError("The output cannot begin with these tokens: they are of another model.")
    else:
        text = clean(options.prefix)
        tokens = checkpoint.tokenizer.encode_target(text) if text else []
    if config.unknown in tokens:
        raise UserError("The output cannot begin with characters that the model has never seen.")
    _check_length(checkpoint, tokens, "The output cannot begin with")
    return tokens


def _check_length(checkpoint: Checkpoint, tokens: Sequence[int], what: str) -> None:
    longest = checkpoint.model.config.longest
    if len(tokens) >= min(MAX_LENGTH, longest or MAX_LENGTH):
        raise UserError(f"{what} {len(tokens)} tokens: give less text.")


def rules_for(
    checkpoint: Checkpoint,
    options: Options,
    forced: Sequence[int],
    prefix: Sequence[int],
    source: Sequence[int] = (),
) -> list[Rule]:
    """Turn options and the model's conventions into rules.

    forced: tokens the model begins with; prefix: those the visitor wants after them; source: its
    ids, where all rows have the same one.
    """
    eos, conventions = checkpoint.model.config.eos, checkpoint.conventions
    rules: list[Rule] = []
    if options.no_repeat_ngram:
        rules.append(no_repeat(options.no_repeat_ngram, len(forced) + len(prefix)))
    if conventions.no_copy_ngram and source:
        rules.append(no_copy(conventions.no_copy_ngram, source))
    if options.min_length:
        rules.append(minimum_length(options.min_length, eos))
    if conventions.forbidden:
        rules.append(forbid(conventions.forbidden))
    if conventions.forbidden_first:
        rules.append(forbid_first(conventions.forbidden_first))
    if conventions.manners is not None:
        rules.append(mannered(conventions.manners))
    speech = conventions.speech
    if options.timestamps and speech is not None and speech.first_time is not None:
        rules += [] if speech.no_times is None else [forbid([speech.no_times])]
        rules.append(spoken_times(speech.first_time, eos, speech.latest_start))
    if prefix:
        given = [*forced, *prefix]
        rules = [*(after(len(given), rule) for rule in rules), forced_prefix(given)]
    rules += [forced_at(step, token) for step, token in enumerate(forced)]
    if conventions.end_at_limit is not None and options.max_length:
        rules.append(forced_at(options.max_length - 1, conventions.end_at_limit))
    if conventions.renormalise:
        rules.append(renormalised)
    return rules


def run(
    checkpoint: Checkpoint,
    source: str | Audio,
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
    options = options or checkpoint.conventions.options
    read = prepare(checkpoint, source, options)
    started = time.perf_counter()
    with torch.inference_mode():
        inside = _fits(checkpoint, read) if self_attention is None else self_attention
        memory = _encode(checkpoint, read, inside, interventions)
        if options != (options := detect_language(checkpoint, memory, options)):
            read = read._replace(notes=(*read.notes, f"It hears {options.source_language!r}."))
        if memory.states.is_cuda:  # a GPU works on while the clock is read
            torch.cuda.synchronize()
        encoded = time.perf_counter()
        said = read.ids if read.frames is None else ()
        found = _find(checkpoint, memory, options, on_step, said, interventions)[0]
        searched = time.perf_counter()
    return record(
        checkpoint,
        read,
        memory,
        found,
        options,
        {"encode": encoded - started, "search": searched - encoded},
        self_attention is not False,
        interventions,
    )


def _encode(
    checkpoint: Checkpoint, source: Source, inside: bool, interventions: Interventions
) -> Memory:
    layers, heads = checkpoint.model.config.attention_shape
    interventions.check(len(source.ids), layers, heads)
    return interventions.encode(checkpoint.model, source.batch(checkpoint.device), inside)


@torch.inference_mode()
def force(
    checkpoint: Checkpoint,
    source: str | Audio,
    target: str | Sequence[int],
    options: Options | None = None,
    self_attention: bool | None = False,
    interventions: Interventions = NOTHING,
) -> Trace:
    """Record how the model would have said a given output: teacher forcing.

    target: a text, to whose tokens the end is added, or ids as a search has found them, with the
    tokens that the model begins with. The trace has this one output; its beam tree is its path.
    Otherwise as run does, but nothing is searched. Raises UserError for a text that is empty, too
    long or written in characters that the model has never seen, and for ids that are no output.
    """
    options, config = options or checkpoint.conventions.options, checkpoint.model.config
    read = prepare(checkpoint, source, options)
    started = time.perf_counter()
    inside = _fits(checkpoint, read) if self_attention is None else self_attention
    memory = _encode(checkpoint, read, inside, interventions)
    options = detect_language(checkpoint, memory, options)
    start, forced = checkpoint.conventions.beginning(options, checkpoint.tokenizer.languages)
    if isinstance(target, str):
        text = clean(target)
        tokens = checkpoint.tokenizer.encode_target(text) if text else []
        if not tokens:
            raise UserError("There is no output to follow: type one.")
        if config.unknown in tokens:
            raise UserError("This output has characters that the model has never seen.")
        tokens = [*forced, *tokens, config.eos]
    else:
        tokens = list(target)
        if not tokens or not all(0 <= token < config.vocabulary for token in tokens):
            raise UserError("These tokens are no output of this model.")
    _check_length(checkpoint, tokens, "The model cannot follow an output of")
    encoded = time.perf_counter()
    found = _path(checkpoint, memory, start, tokens, options, interventions)
    seconds = {"encode": encoded - started, "search": time.perf_counter() - encoded}
    inside = self_attention is not False
    return record(checkpoint, read, memory, found, options, seconds, inside, interventions)


@torch.inference_mode()
def coverage(
    checkpoint: Checkpoint,
    source: str | Audio,
    outputs: Sequence[Sequence[int]],
    options: Options | None = None,
) -> np.ndarray:
    """Return how much each source position was looked at over each output, (outputs, source).

    Added over steps, averaged over layers and heads: what a coverage penalty is about. outputs: ids
    as a search has found them. One teacher-forced pass over all of them, in the precision of the
    search. Raises ValueError for a model without attention.
    """
    options, config = options or checkpoint.conventions.options, checkpoint.model.config
    read = prepare(checkpoint, source, options)
    memory = checkpoint.model.encode(read.batch(checkpoint.device))
    options = detect_language(checkpoint, memory, options)
    start, _ = checkpoint.conventions.beginning(options, checkpoint.tokenizer.languages)
    target = pad([[*start, *ids[:-1]] for ids in outputs], config.pad).to(checkpoint.device)
    rows = select(memory, torch.zeros(len(outputs), dtype=torch.long, device=checkpoint.device))
    weights = checkpoint.searcher.decoder(target, rows, record=True).weights
    if weights is None:
        raise ValueError("a model without attention covers nothing")
    looked = weights[:, len(start) - 1 :, ..., : int(memory.mask.sum())].float().mean(dim=(2, 3))
    lengths = torch.tensor([len(ids) for ids in outputs], device=looked.device)
    real = torch.arange(looked.shape[1], device=looked.device) < lengths[:, None]
    return (looked * real[..., None]).sum(dim=1).cpu().double().numpy()


def _path(
    checkpoint: Checkpoint,
    memory: Memory,
    start: Sequence[int],
    tokens: Sequence[int],
    options: Options,
    interventions: Interventions,
) -> Found:
    """Put a given output into the form in which a search leaves its own."""
    target = torch.tensor([[*start, *tokens[:-1]]], device=memory.states.device)
    prompt = len(start) - 1
    logits = teach(checkpoint.model.decoder, target, memory, interventions, prompt).logits
    logits = logits[0, prompt:]
    scores = logits.float().log_softmax(dim=-1)
    chosen = scores.gather(1, torch.tensor([tokens], device=scores.device).T)
    ranks = (scores > chosen).sum(dim=1).cpu().numpy()
    steps, each = np.arange(len(tokens)), chosen[:, 0].double().cpu().numpy()
    cumulated = each.cumsum()
    # Coverage is left out: it would need the weights, which are recorded only later.
    by_length = cumulated / (steps + 1) ** options.length_penalty
    finished = tokens[-1] == checkpoint.model.config.eos
    fate = np.where(finished & (steps == len(tokens) - 1), FINISHED, KEPT)
    tree = BeamTree(steps, steps - 1, np.array(tokens), each, cumulated, by_length, ranks, fate)
    best = Hypothesis(
        tuple(tokens), tuple(each.tolist()), float(by_length[-1]), finished, len(tokens) - 1
    )
    return Found((best,), tree)


def _fits(checkpoint: Checkpoint, source: Source) -> bool:
    config = checkpoint.model.config
    positions = config.max_source if checkpoint.conventions.window else len(source.ids)
    return 4 * config.encoder_layers * config.heads * positions**2 <= SELF_BYTES


@torch.inference_mode()
def find(checkpoint: Checkpoint, text: str, options: Options | None = None) -> Found:
    """Decode one text as `run` does, but record nothing. Raises UserError as run does."""
    options = options or checkpoint.conventions.options
    read = prepare(checkpoint, text, options)
    memory = checkpoint.model.encode(read.batch(checkpoint.device))
    return _find(checkpoint, memory, options, source=read.ids)[0]


@torch.inference_mode()
def generate(
    checkpoint: Checkpoint,
    texts: Sequence[str],
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> list[Found]:
    """Decode many texts in batches of like length; nothing is recorded but the search.

    on_group is called with the number of texts done since the last call.
    """
    options, config = options or checkpoint.conventions.options, checkpoint.model.config
    sources = [prepare(checkpoint, text, options).ids for text in texts]
    results: dict[int, Found] = {}
    # A rule against copying is about one source.
    batch = 1 if checkpoint.conventions.no_copy_ngram else batch
    for group in in_groups([len(ids) for ids in sources], batch):
        ids = pad([sources[index] for index in group], config.pad).to(checkpoint.device)
        memory = checkpoint.searcher.encode(ids)
        found = _find(checkpoint, memory, options, source=sources[group[0]] if batch == 1 else ())
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
) -> list[Found]:
    """Decode each row of a memory, whatever it was made of; nothing is recorded but the search.

    lengths: tokens of the sources, by which the outputs are limited, () for those of the memory.
    on_step is called after every decoder step and stops the search by returning True.
    """
    options = options or checkpoint.conventions.options
    return _find(checkpoint, memory, options, on_step, lengths=lengths)


def detect_language(checkpoint: Checkpoint, memory: Memory, options: Options) -> Options:
    """Fill in the language that a speech model hears, where none was chosen.

    It is the likeliest of the language tokens after the first start token. Radford et al. 2022.
    """
    conventions, languages = checkpoint.conventions, checkpoint.tokenizer.languages
    if conventions.language_leads != "heard" or options.source_language or not languages:
        return options
    decoder = checkpoint.model.decoder
    first = torch.tensor([conventions.start[0]], device=memory.states.device)
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
) -> list[Found]:
    """Decode many recordings, as features (frames, bins) each; otherwise as generate does."""
    conventions = checkpoint.conventions
    options = options or conventions.options
    # The decoder starts with the language, which every recording may have its own of.
    unknown = conventions.language_leads == "heard" and not options.source_language
    batch = 1 if unknown else batch
    results: dict[int, Found] = {}
    for group in in_groups([len(each) for each in heard], batch):
        frames, mask = pad_frames([heard[index] for index in group])
        memory = checkpoint.model.encode(frames.to(checkpoint.device), mask.to(checkpoint.device))
        chosen = detect_language(checkpoint, memory, options)
        results.update(zip(group, _find(checkpoint, memory, chosen), strict=True))
        if on_group is not None:
            on_group(len(group))
    return [results[index] for index in range(len(heard))]


def _find(
    checkpoint: Checkpoint,
    memory: Memory,
    options: Options,
    on_step: OnStep | None = None,
    source: Sequence[int] = (),
    interventions: Interventions = NOTHING,
    lengths: Sequence[int] = (),
) -> list[Found]:
    config, prefix = checkpoint.model.config, forced_tokens(checkpoint, options)
    start, forced = checkpoint.conventions.beginning(options, checkpoint.tokenizer.languages)
    lengths = lengths or memory.mask.sum(dim=1).tolist()
    limits = [options.length_limit(length, len(forced) + len(prefix)) for length in lengths]
    if config.longest is not None:
        limits = [min(limit, config.longest - len(start) + 1) for limit in limits]
    rules = rules_for(checkpoint, options, forced, prefix, source)
    decoder = checkpoint.searcher.decoder
    changes = interventions.at if interventions.attention else None
    return search(decoder, memory, options, start, config.eos, rules, on_step, limits, changes)


def to_text(checkpoint: Checkpoint, found: Found, source: str = "") -> str:
    """Return the text of the best output, for a source as Checkpoint.text needs it."""
    return checkpoint.text(found.hypotheses[0].tokens if found.hypotheses else (), source)
