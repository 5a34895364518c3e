"""Recordings in, text out: all at once where a window holds them, else window by window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.audio import Audio
from seq2seq.data.batching import in_groups
from seq2seq.data.speech_corpus import pad_frames
from seq2seq.decoding.hypothesis import ACTIVE, BeamTree, Hypothesis
from seq2seq.decoding.options import Options
from seq2seq.decoding.scoring import score
from seq2seq.inference.arguments import Named, each, is_list, opened, options_for
from seq2seq.inference.decode import decode, detect_language
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.generated import Generated, generated
from seq2seq.inference.inputs import speech_features
from seq2seq.inference.long_form import OnWindow, is_long, transcribe_long


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
    memory = checkpoint.searcher.encode(frames.to(checkpoint.device), mask.to(checkpoint.device))
    chosen = detect_language(checkpoint, memory, options)
    found = decode(checkpoint, memory, chosen, decoder_prompt(checkpoint, chosen))
    return [generated(checkpoint, each) for each in found]


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
