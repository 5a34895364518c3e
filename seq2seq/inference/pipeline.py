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
from seq2seq.decoding.search import OnStep, Steering
from seq2seq.inference.arguments import Input, Inputs, Named, each, is_list, opened, options_for
from seq2seq.inference.decode import decode
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.encoding import encode
from seq2seq.inference.inputs import fit_tokenizer, prepare
from seq2seq.inference.record import Encoded, observe, observe_together, record
from seq2seq.models.protocol import select
from seq2seq.trace import Trace

RECORDED_AT_ONCE, RECORDED_LOGITS = 16, 100_000_000  # texts; numbers, for outputs of 64 tokens
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
        steering = Steering(changes=changes, on_step=on_step)
        [found] = decode(checkpoint, memory, chosen, prompt, ids, steering)
        searched = time.perf_counter()
        steps = observe(checkpoint, encoded, found.hypotheses[0].tokens)
    seconds = {
        "encode": searching - started,
        "search": searched - searching,
        "record": time.perf_counter() - searched,
    }
    return record(checkpoint, encoded, steps, found, seconds, self_attention is not False)


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
        memory = checkpoint.searcher.encode(ids)
        searching = time.perf_counter()
        found = decode(checkpoint, memory, options, prompt)
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
