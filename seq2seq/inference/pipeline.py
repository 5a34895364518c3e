"""Text in, text out, and a record of the way: tokenizer, encoder, search and one more pass."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, overload

import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import in_groups, pad
from seq2seq.decoding.interventions import NOTHING, Interventions
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import OnStep, SearchResult, Steering
from seq2seq.decoding.step_log import Keeping, Observed
from seq2seq.inference.arguments import Input, Inputs, Named, each, is_list, opened, options_for
from seq2seq.inference.decode import decode
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.encoding import encode
from seq2seq.inference.inputs import fit_tokenizer, prepare
from seq2seq.inference.record import ALTERNATIVES, Encoded, observe, observed, record
from seq2seq.models.protocol import select
from seq2seq.trace import Trace

TOGETHER = 16  # texts of a list that are searched at once
PHASES = ("encode", "search", "record")


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
        encoded = encode(checkpoint, source, options, self_attention, interventions)
        if encoded.memory.states.is_cuda:  # a GPU works on while the clock is read
            torch.cuda.synchronize()
        searching = time.perf_counter()
        ids = encoded.source.ids if encoded.source.frames is None else ()
        changes = interventions.at if interventions.attention else None
        _, memory, chosen, prompt, _ = encoded
        keeping = Keeping(ALTERNATIVES, self_attention is not False)
        steering = Steering(changes=changes, on_step=on_step, keeping=keeping)
        [found] = decode(checkpoint, memory, chosen, prompt, ids, steering)
        searched = time.perf_counter()
        seen = _seen(checkpoint, encoded, found)
    seconds = {
        "encode": searching - started,
        "search": searched - searching,
        "record": time.perf_counter() - searched,
    }
    return record(checkpoint, encoded, seen, found, seconds, self_attention is not False)


@torch.inference_mode()
def _run_together(checkpoint: Checkpoint, texts: Sequence[str], options: Options) -> list[Trace]:
    """Decode texts in batches of like length, and record them as `_run` does."""
    config, prompt = checkpoint.model.config, decoder_prompt(checkpoint, options)
    sources = each(texts, lambda text: prepare(checkpoint, text, options))
    traces: dict[int, Trace] = {}
    for group in in_groups([len(source.ids) for source in sources], TOGETHER):
        started = time.perf_counter()
        ids = pad([sources[index].ids for index in group], config.pad).to(checkpoint.device)
        memory = checkpoint.searcher.encode(ids)
        searching = time.perf_counter()
        steering = Steering(keeping=Keeping(ALTERNATIVES))
        found = decode(checkpoint, memory, options, prompt, (), steering)
        searched = time.perf_counter()
        rows = torch.arange(len(group), device=checkpoint.device).split(1)
        encoded = [
            Encoded(sources[index], select(memory, row), options, prompt)
            for index, row in zip(group, rows, strict=True)
        ]
        seen = [_seen(checkpoint, *pair) for pair in zip(encoded, found, strict=True)]
        times = (searching - started, searched - searching, time.perf_counter() - searched)
        seconds = dict(zip(PHASES, (part / len(group) for part in times), strict=True))
        for row, index in enumerate(group):
            parts = encoded[row], seen[row], found[row]
            traces[index] = record(checkpoint, *parts, dict(seconds))
    return [traces[index] for index in range(len(texts))]


def _seen(checkpoint: Checkpoint, encoded: Encoded, found: SearchResult) -> Observed:
    """Return what the search saw on the way to its best output, or else one more pass over it."""
    best = found.hypotheses[0]
    seen = None if found.trails is None else found.trails.observed(best.node, best.tokens)
    return seen or observed(observe(checkpoint, encoded, best.tokens), best.tokens)
