"""Texts in, texts out, and nothing recorded but the search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import in_groups, pad
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import OnStep, SearchResult, Steering
from seq2seq.inference.arguments import Input, Inputs, Named, each, is_list, opened, options_for
from seq2seq.inference.decode import decode, length_limits
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.generated import Generated, generated
from seq2seq.inference.inputs import prepare
from seq2seq.inference.transcription import transcribe
from seq2seq.models.protocol import Memory


@torch.inference_mode()
def find(checkpoint: Checkpoint, text: str, options: Options | None = None) -> SearchResult:
    """Decode one text as `run` does, but record nothing. Raises UserError as run does."""
    options = options_for(checkpoint, options)
    read = prepare(checkpoint, text, options)
    memory = checkpoint.searcher.encode(read.batch(checkpoint.device))
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
    return [generated(ready, results[index], text) for index, text in enumerate(texts)]


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
    limits = length_limits(checkpoint, options, prompt, lengths)
    return decode(checkpoint, memory, options, prompt, (), Steering(limits=limits, on_step=on_step))
