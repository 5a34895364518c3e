"""What each half of an encoder-decoder can do: the decoder alone, without what the encoder read.

The decoder gets zeros for all encoder states, and is then a language model. Measured is how
probable it finds references, and the same words shuffled. The claim is that it knows the language
and not the source. Rule: for the claim if, by 95 % intervals over sentences, it finds references
more probable than shuffled ones, and both halves find them more probable than it does alone;
against it if one of the two is the other way round.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from seq2seq.checkpoint import Checkpoint
from seq2seq.decoding.options import Options
from seq2seq.decoding.search import search
from seq2seq.experiments.references import LENGTH_NAMES, Reference, by_length, references
from seq2seq.experiments.result import (
    AGAINST,
    FOR,
    UNDECIDED,
    Axes,
    Load,
    OnPart,
    Result,
    interval,
    title_of,
)
from seq2seq.inference.decoder_prompt import decoder_prompt
from seq2seq.inference.inputs import clean_target, prepare
from seq2seq.inference.record import chances, teach
from seq2seq.models.protocol import Memory

# What the decoder writes alone is drawn, several texts at a time.
ALONE = Options(method="sample", beam_width=10, top_p=0.8, max_length=12)
NAMES = ("both halves", "decoder alone", "decoder alone, words shuffled")


class Bits(NamedTuple):
    """Bits a token of one reference, by both halves, by the decoder alone, and of it shuffled."""

    both: float
    alone: float
    shuffled: float


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    model: str = "transformer-en-fr",
    pairs: tuple[Reference, ...] = (),
) -> Result:
    """Score references with and without their source; value: bits a token of the decoder alone."""
    started, checkpoint, pairs = time.perf_counter(), load(model), pairs or references()
    found = []
    for place, pair in enumerate(pairs):
        on_part(place, len(pairs))
        found.append(_bits(checkpoint, pair, seed + place))
    means = [float(np.mean([each[side] for each in found])) for side in range(len(NAMES))]
    language = interval([each.shuffled - each.alone for each in found], seed)
    source = interval([each.alone - each.both for each in found], seed)
    guess = float(np.log2(checkpoint.model.config.vocabulary))
    return Result(
        _verdict(language, source),
        means[1],
        "bits a token",
        f"A right translation costs {means[0]:.1f} bits a token with both halves of "
        f"{title_of(checkpoint)} and "
        f"{means[1]:.1f} with its decoder alone; {means[2]:.1f} if the words are shuffled, "
        f"{guess:.1f} for a guess. Knowing the source is worth {source[0]:.1f} to {source[1]:.1f} "
        f"bits, knowing the language {language[0]:.1f} to {language[1]:.1f} (95 %).",
        tuple(
            by_length(name, pairs, [each[side] for each in found], seed)
            for side, name in enumerate(NAMES)
        ),
        Axes("words of the source", "bits a token", LENGTH_NAMES),
        f"{len(pairs)} sentences, each scored three times",
        seed,
        time.perf_counter() - started,
        {
            "reference": [pair.target for pair in pairs],
            **{name: [round(each[side], 2) for each in found] for side, name in enumerate(NAMES)},
            "the decoder alone writes": _written(checkpoint, len(pairs), seed),
        },
    )


def _verdict(*ends: tuple[float, float]) -> str:
    if all(low > 0 for low, _ in ends):
        return FOR
    return AGAINST if any(high < 0 for _, high in ends) else UNDECIDED


@torch.inference_mode()
def _bits(checkpoint: Checkpoint, pair: Reference, seed: int) -> Bits:
    read = prepare(checkpoint, pair.source, Options())
    memory = checkpoint.model.encode(read.batch(checkpoint.device))
    empty, words = without_source(checkpoint, memory), pair.target.split()
    shuffled = " ".join(random.Random(seed).sample(words, len(words)))
    return Bits(
        _cost(checkpoint, memory, pair.target),
        _cost(checkpoint, empty, pair.target),
        _cost(checkpoint, empty, shuffled),
    )


def without_source(checkpoint: Checkpoint, memory: Memory) -> Memory:
    """Return a memory of the same length that holds nothing: zeros for all encoder states."""
    final = tuple(torch.zeros_like(part) for part in memory.final)
    empty = memory._replace(states=torch.zeros_like(memory.states), final=final)
    return empty._replace(keys=checkpoint.model.decoder.prepare(empty))


def _cost(checkpoint: Checkpoint, memory: Memory, text: str) -> float:
    """Return the bits a token that a text costs, its end included."""
    tokens = checkpoint.tokenizer.encode_target(clean_target(checkpoint, text))
    tokens, prompt = [*tokens, checkpoint.model.config.eos], decoder_prompt(checkpoint, Options())
    target = torch.tensor([prompt.before(tokens)], device=checkpoint.device)
    steps = teach(checkpoint.model.decoder, target, memory)
    steps = steps._replace(logits=steps.logits[:, prompt.steps :])
    return -float(chances(steps, tokens)[1].mean()) / float(np.log(2))


@torch.inference_mode()
def _written(checkpoint: Checkpoint, count: int, seed: int) -> list[str]:
    """Draw so many texts that a decoder writes alone."""
    read = prepare(checkpoint, references()[0].source, Options())
    memory = checkpoint.model.encode(read.batch(checkpoint.device))
    empty, eos, texts = without_source(checkpoint, memory), checkpoint.model.config.eos, list[str]()
    while len(texts) < count:
        drawn = replace(ALONE, seed=seed + len(texts))
        start = decoder_prompt(checkpoint, drawn).start
        [found] = search(checkpoint.model.decoder, empty, drawn, start, eos)
        texts += [checkpoint.text(each.tokens, "") for each in found.hypotheses]
    return texts[:count]
