"""One fixed vector loses details: random strings through vectors of several widths.

Cho et al. 2014, On the properties of neural machine translation. The models are small ones of ours
that have learnt to repeat strings, by the recipes beside them: of each width one whose decoder gets
a single vector and one with attention. Bits that come through are log2 of the letters a string is
drawn from, for each of its letters, less what the letter costs the model under teacher forcing: a
lower bound of what the vector tells about the string (Barber and Agakov 2003). Rule: for the claim
if, on the longest strings, the model of the chosen width with attention repeats more of them
exactly than the one without, by the paired 95 % interval; against it if fewer.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
import torch

from seq2seq.catalogue import CHECKPOINTS
from seq2seq.checkpoint import Checkpoint
from seq2seq.checkpoint import load as load_folder
from seq2seq.data.batching import Example, collate
from seq2seq.data.tasks import LONGEST, SHORTEST
from seq2seq.errors import UserError
from seq2seq.evaluation.exact_match import outputs
from seq2seq.evaluation.results import Curve
from seq2seq.experiments.result import (
    Axes,
    Load,
    OnPart,
    Partial,
    Result,
    by_sign,
    interval,
    mean_curve,
)

FOLDER = CHECKPOINTS / "copying"  # whose folders are no models of a task that the pages offer
WIDTHS = (32, 64, 128, 256)
VECTOR, ATTENTION = "vector", "attention"
LENGTHS = range(SHORTEST, LONGEST + 1)  # that the models have learnt from
BITS = float(np.log2(len(ascii_lowercase)))  # of a letter that is drawn at random
EXACT = Axes("letters in the string", "% repeated exactly")


class _Repeated(NamedTuple):
    """Of each string, 100 if it was repeated exactly, else 0, and the bits that came through."""

    exact: list[float]
    bits: list[float]


def run(
    load: Load,
    on_part: OnPart,
    seed: int = 0,
    width: int = 32,
    strings: int = 40,
    widths: tuple[int, ...] = WIDTHS,
    folder: Path = FOLDER,
) -> Result:
    """Repeat new strings of each length; value: % of the longest exact, through one vector.

    strings: of each length. Raises UserError where the models are not there.
    """
    if width not in widths:
        known = ", ".join(map(str, widths))
        raise UserError(f"There is no copy model of width {width}: choose one of {known}.")
    started, texts = time.perf_counter(), _strings(strings, seed)
    names = [f"{kind}-{each}" for each in widths for kind in (VECTOR, ATTENTION)]
    found: dict[str, _Repeated] = {}
    for number, name in enumerate(names):
        on_part(number, len(names), Partial(_curves(found, texts, (width,), seed), EXACT))
        found[name] = _repeat(_load(folder / name), texts)
    plain, attending = found[f"{VECTOR}-{width}"], found[f"{ATTENTION}-{width}"]
    long = np.array([len(text.split()) == LONGEST for text in texts])
    exact = [np.array(each.exact)[long] for each in (plain, attending)]
    low, high = interval((exact[1] - exact[0]).tolist(), seed)
    bits = [float(np.array(each.bits)[long].mean()) for each in (plain, attending)]
    return Result(
        by_sign(low, high),
        float(exact[0].mean()),
        "% repeated exactly",
        f"Of strings of {LONGEST} letters, {exact[0].mean():.0f} % came exactly through one vector "
        f"of {width} numbers, with attention {exact[1].mean():.0f} % (difference, 95 %: "
        f"{low:+.0f} to {high:+.0f} points). Of their {LONGEST * BITS:.0f} bits, at least "
        f"{bits[0]:.0f} came through the vector and {bits[1]:.0f} with attention.",
        _curves(found, texts, (width,), seed),
        EXACT,
        f"{len(texts)} new strings, {len(names)} models",
        seed,
        time.perf_counter() - started,
        {
            "string": texts,
            **{
                f"exact, {name}": [round(each) for each in one.exact] for name, one in found.items()
            },
            **{f"bits, {name}": np.round(one.bits, 1).tolist() for name, one in found.items()},
        },
        (_by_width(found, texts, widths, seed),),
        interval(exact[0].tolist(), seed),
    )


def _load(folder: Path) -> Checkpoint:
    if not folder.is_dir():
        raise UserError(
            f"The copy model {folder.name} is not here: copy the folder checkpoints/copying of the "
            "repository."
        )
    return load_folder(folder)


def _strings(count: int, seed: int) -> list[str]:
    draw = random.Random(f"bottleneck {seed}")
    return [
        " ".join(draw.choices(ascii_lowercase, k=length))
        for length in LENGTHS
        for _ in range(count)
    ]


@torch.inference_mode()
def _repeat(checkpoint: Checkpoint, texts: list[str]) -> _Repeated:
    tokenizer, model = checkpoint.tokenizer, checkpoint.model
    pairs = [Example(tokenizer.encode(text), tokenizer.encode_target(text)) for text in texts]
    written = outputs(model, [pair.source for pair in pairs], LONGEST + 2)
    exact = [100.0 * (ids == pair.target) for ids, pair in zip(written, pairs, strict=True)]
    batch, config = collate(pairs), model.config
    logits = model(batch.source, batch.target, batch.source != config.pad)
    costs = -logits.log_softmax(dim=-1).gather(2, batch.labels.unsqueeze(2)).squeeze(2)
    letters = (batch.labels != config.pad) & (batch.labels != config.eos)
    cost = (costs * letters).sum(dim=1) / np.log(2)
    through = letters.sum(dim=1) * BITS - cost
    return _Repeated(exact, through.tolist())


def _name(kind: str, width: int) -> str:
    return f"one vector, {width}" if kind == VECTOR else f"attention, {width}"


def _curves(
    found: dict[str, _Repeated], texts: list[str], widths: tuple[int, ...], seed: int
) -> tuple[Curve, ...]:
    """Return how many strings are repeated by their length, by the models that are through."""
    curves = []
    for width in widths:
        for kind in (VECTOR, ATTENTION):
            if (repeated := found.get(f"{kind}-{width}")) is None:
                continue
            by_length: dict[float, list[float]] = {}
            for text, value in zip(texts, repeated.exact, strict=True):
                by_length.setdefault(float(len(text.split())), []).append(value)
            curves.append(mean_curve(_name(kind, width), by_length, seed))
    return tuple(curves)


def _by_width(
    found: dict[str, _Repeated], texts: list[str], widths: tuple[int, ...], seed: int
) -> Result:
    """Return the bits of the longest strings that come through, by width.

    Rule: for the claim that the size is what limits it if the widest vector lets more through than
    the narrowest one, by the paired 95 % interval; against it if less.
    """
    started = time.perf_counter()
    long = [place for place, text in enumerate(texts) if len(text.split()) == LONGEST]
    bits = {name: [each.bits[place] for place in long] for name, each in found.items()}
    first, last = (bits[f"{VECTOR}-{width}"] for width in (widths[0], widths[-1]))
    low, high = interval(np.subtract(last, first).tolist(), seed)
    means = [float(np.mean(each)) for each in (first, last)]
    return Result(
        by_sign(low, high),
        means[1] - means[0],
        "bits more",
        f"Of the {LONGEST * BITS:.0f} bits of a string of {LONGEST} letters, at least "
        f"{means[0]:.0f} come through a vector of {widths[0]} numbers and {means[1]:.0f} through "
        f"one of {widths[-1]} (difference, 95 %: {low:+.0f} to {high:+.0f}).",
        tuple(
            mean_curve(label, {w + 1.0: bits[f"{kind}-{width}"] for w, width in places}, seed)
            for kind, label in ((VECTOR, "one vector"), (ATTENTION, "attention"))
            for places in [list(enumerate(widths))]
        ),
        Axes("width", f"bits of {LONGEST * BITS:.0f}", tuple(map(str, widths))),
        f"{len(long)} strings of {LONGEST} letters, {len(found)} models",
        seed,
        time.perf_counter() - started,
        {
            "width": list(widths),
            **{
                label: [round(float(np.mean(bits[f"{kind}-{width}"])), 1) for width in widths]
                for kind, label in ((VECTOR, "one vector"), (ATTENTION, "attention"))
            },
        },
        ends=(low, high),
    )
