"""Text in, text out: the whole way through tokenizer, encoder, search and record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data import in_groups, pad
from seq2seq.errors import UserError
from seq2seq.options import MAX_LENGTH, Options
from seq2seq.protocol import Memory
from seq2seq.record import record
from seq2seq.rules import Rule, forbid, forced_prefix, minimum_length, no_repeat
from seq2seq.search import Found, OnStep, search
from seq2seq.source import clean, prepare
from seq2seq.speech import pad_frames
from seq2seq.trace import Trace


def forced_tokens(checkpoint: Checkpoint, options: Options) -> list[int]:
    """Return the ids of the prefix.

    Raises UserError if it has characters that the model has never seen, or if it is too long.
    """
    config, limit = checkpoint.model.config, MAX_LENGTH
    if config.longest is not None:
        limit = min(limit, config.longest)
    tokens = checkpoint.tokenizer.encode(clean(options.prefix))
    if config.unknown in tokens:
        raise UserError("The output cannot begin with characters that the model has never seen.")
    if len(tokens) >= limit:
        raise UserError(f"The output cannot begin with {len(tokens)} tokens: give less text.")
    return tokens


def rules_for(checkpoint: Checkpoint, options: Options, prefix: Sequence[int]) -> list[Rule]:
    """Turn options, and the prefix's ids, into rules."""
    config = checkpoint.model.config
    rules = [forbid([config.pad, config.unknown, config.bos])]
    if options.min_length:
        rules.append(minimum_length(options.min_length, config.eos))
    if options.no_repeat_ngram:
        rules.append(no_repeat(options.no_repeat_ngram, len(prefix)))
    if prefix:
        rules.append(forced_prefix(prefix))
    return rules


def run(
    checkpoint: Checkpoint,
    text: str,
    options: Options | None = None,
    on_step: OnStep | None = None,
    self_attention: bool = False,
) -> Trace:
    """Decode one text and record what the network did.

    on_step is called after every decoder step and stops the search by returning True.
    Raises UserError if there is nothing to read.
    """
    options = options or Options()
    source = prepare(checkpoint, text)
    ids = torch.tensor([source.ids], device=checkpoint.device)
    started = time.perf_counter()
    with torch.inference_mode():
        memory = checkpoint.model.encode(ids, record=self_attention)
        if ids.is_cuda:  # a GPU works on while the clock is read
            torch.cuda.synchronize()
        encoded = time.perf_counter()
        found = _find(checkpoint, memory, options, on_step)[0]
        searched = time.perf_counter()
    return record(
        checkpoint,
        source,
        memory,
        found,
        options,
        {"encode": encoded - started, "search": searched - encoded},
        self_attention,
    )


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
    options, config = options or Options(), checkpoint.model.config
    sources = [prepare(checkpoint, text).ids for text in texts]
    results: dict[int, Found] = {}
    for group in in_groups([len(ids) for ids in sources], batch):
        ids = pad([sources[index] for index in group], config.pad).to(checkpoint.device)
        memory = checkpoint.model.encode(ids)
        found = _find(checkpoint, memory, options)
        results.update(zip(group, found, strict=True))
        if on_group is not None:
            on_group(len(group))
    return [results[index] for index in range(len(texts))]


@torch.inference_mode()
def transcribe(
    checkpoint: Checkpoint,
    heard: Sequence[Tensor],
    options: Options | None = None,
    batch: int = 32,
    on_group: Callable[[int], None] | None = None,
) -> list[Found]:
    """Decode many recordings, as features (frames, bins) each; otherwise as generate does."""
    options = options or Options()
    results: dict[int, Found] = {}
    for group in in_groups([len(each) for each in heard], batch):
        frames, mask = pad_frames([heard[index] for index in group])
        memory = checkpoint.model.encode(frames.to(checkpoint.device), mask.to(checkpoint.device))
        results.update(zip(group, _find(checkpoint, memory, options), strict=True))
        if on_group is not None:
            on_group(len(group))
    return [results[index] for index in range(len(heard))]


def _find(
    checkpoint: Checkpoint, memory: Memory, options: Options, on_step: OnStep | None = None
) -> list[Found]:
    config, prefix = checkpoint.model.config, forced_tokens(checkpoint, options)
    lengths = memory.mask.sum(dim=1).tolist()
    limits = [options.length_limit(length, len(prefix)) for length in lengths]
    if config.longest is not None:
        limits = [min(limit, config.longest) for limit in limits]
    rules = rules_for(checkpoint, options, prefix)
    decoder = checkpoint.model.decoder
    return search(decoder, memory, options, config.bos, config.eos, rules, on_step, limits)


def to_text(checkpoint: Checkpoint, found: Found) -> str:
    """Return the text of the best output."""
    return checkpoint.tokenizer.decode(found.hypotheses[0].tokens) if found.hypotheses else ""
