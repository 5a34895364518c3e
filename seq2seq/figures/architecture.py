"""The picture of a model at work on one run, described in plain values for whatever draws it.

Lanes from below: source, encoder, context, decoder, output; time goes from left to right. Nothing
here is computed by a model: what is shown is what the run and its internals hold.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seq2seq.figures.beam_lane import beam_lane
from seq2seq.figures.step_formulas import (
    Symbols,
    encoder_formula,
    grouped,
    source_numbers,
    step_formulas,
)
from seq2seq.trace import Trace, label

if TYPE_CHECKING:
    from seq2seq.analysis.model_outline import Outline
    from seq2seq.analysis.run_internals import RunInternals

CELLS = 48  # of the strip that stands for a vector
CANDIDATES = 5
MAX_WEIGHTS = 400_000  # of attention; beyond, only the mean over heads is described
LEVELS = 127  # of a cell's colour, on either side of 0
SOUND_COLUMNS, SOUND_BANDS = 300, 12  # of the spectrogram that stands for a recording
MAX_OWN = 40_000  # weights of self-attention in one lane; a longer text is described without
WEIGHT_UNIT = 65_535  # stands for a weight of 1

NAMES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "transformer": "Transformer"}
ATTENTIONS = {
    "additive": "additive attention",
    "dot": "dot-product attention",
    "general": "general attention",
    "heads": "multi-head attention",
}


def architecture(
    trace: Trace,
    outline: Outline | None = None,
    internals: RunInternals | None = None,
    search: Trace | None = None,
) -> dict[str, Any]:
    """Describe a model's parts, states and steps on a run; the result can be written as JSON.

    outline: of the model; None where it is not at hand, which leaves out cells and weights.
    internals: of the same output; None leaves out of the formulas what a run does not keep.
    search: the run whose search found the output, None for the trace itself.
    Strips are base64 of int8, of CELLS cells or fewer, -127 to 127 of `scale`; attention is base64
    of little-endian uint16, 65,535 for a weight of 1, by view, step and source position.
    """
    directions = 2 if outline is not None and outline.bidirectional else 1
    encoder = trace.encoder_states.astype(np.float32)
    decoder = trace.decoder_states.astype(np.float32)
    contexts = trace.contexts.astype(np.float32)
    pooled = [
        pool(encoder, directions),
        pool(decoder),
        pool(contexts),
        pool(internals.readouts if internals is not None else decoder[:0]),
    ]
    scale = _scale(pooled)
    strips = dict(
        zip(("encoder", "decoder", "context", "readout"), _strips(pooled, scale), strict=True)
    )
    symbols = Symbols(trace, outline, internals)
    beam = beam_lane(search or trace, trace.target.ids)
    return {
        "title": title(trace, outline),
        "model": _model(trace, outline),
        "parts": parts(trace, outline) | _beam_part(beam),
        "units": _units(trace, internals),
        "scale": scale,
        "strips": strips,
        "source": _source(trace, symbols),
        "target": _target(trace),
        "attention": _attention(trace),
        "own": {
            "encoder": _own(trace.encoder_attention, (0, 1)),
            "decoder": _own(trace.decoder_attention, (1, 2)),
        },
        "steps": [_step(trace, symbols, step) for step in range(len(trace.target))],
        "beam": beam,
    }


def pool(vectors: np.ndarray, parts: int = 1, cells: int = CELLS) -> np.ndarray:
    """Reduce vectors (positions, width) to (positions, parts, cells) or fewer cells.

    A cell is the number of largest magnitude among neighbouring units, with its sign.
    """
    if not vectors.size:
        return np.zeros((0, parts, 0), dtype=np.float32)
    halves = np.stack(np.split(vectors, parts, axis=1), axis=1)
    bounds = np.array_split(np.arange(halves.shape[2]), min(cells // parts, halves.shape[2]))
    groups = [halves[:, :, units] for units in bounds]
    places = [np.abs(group).argmax(axis=2, keepdims=True) for group in groups]
    found = [
        np.take_along_axis(group, place, axis=2)
        for group, place in zip(groups, places, strict=True)
    ]
    return np.concatenate(found, axis=2)


def _scale(pooled: Sequence[np.ndarray]) -> float:
    """Return what the strongest colour stands for: nearly the largest magnitude."""
    values = np.abs(np.concatenate([each.ravel() for each in pooled]))
    return float(np.quantile(values, 0.98)) or 1.0


def _strips(pooled: Sequence[np.ndarray], scale: float) -> list[dict[str, Any]]:
    return [
        {
            "parts": each.shape[1],
            "cells": each.shape[2],
            "values": _base64(np.rint(np.clip(each / scale, -1, 1) * LEVELS).astype(np.int8)),
        }
        for each in pooled
    ]


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def title(trace: Trace, outline: Outline | None) -> str:
    """Name an architecture: "Bidirectional GRU with additive attention"."""
    if outline is None:
        return "Encoder-decoder" + (" with attention" if trace.attention is not None else "")
    if outline.kind == "transformer":
        return "Transformer"
    name = NAMES[outline.kind]
    name = f"Bidirectional {name}" if outline.bidirectional else name
    if outline.attention == "none":
        return f"{name} without attention"
    copies = " and copy mechanism" if outline.copies else ""
    return f"{name} with {ATTENTIONS[outline.attention]}{copies}"


def _units(trace: Trace, internals: RunInternals | None) -> dict[str, int]:
    found = {
        "encoder": trace.encoder_states.shape[1],
        "context": trace.contexts.shape[1],
        "decoder": trace.decoder_states.shape[1],
    }
    return found if internals is None else found | {"readout": internals.readouts.shape[1]}


def _model(trace: Trace, outline: Outline | None) -> dict[str, Any]:
    """Return what decides on the shape of the picture."""
    attends = trace.attention is not None
    found = {
        "kind": "unknown",
        "encoderLayers": 1,
        "decoderLayers": 1,
        "bidirectional": False,
        "attends": attends,
        "feeds": "",
        "copies": trace.copying is not None,
        "readout": False,
        "seconds": trace.position_seconds,
        "stride": 1,
    }
    if outline is not None:
        found |= {
            "kind": outline.kind,
            "encoderLayers": outline.encoder_layers,
            "decoderLayers": outline.decoder_layers,
            "bidirectional": outline.bidirectional,
            "feeds": outline.feeds,
            "readout": attends and outline.kind != "transformer",
            "stride": outline.stride,
        }
    return found


def parts(trace: Trace, outline: Outline | None) -> dict[str, dict[str, Any]]:
    """Return the lanes by name: what each is, its symbol, and lines on its make and size."""
    sizes = {
        "encoder": trace.encoder_states.shape,
        "context": trace.contexts.shape,
        "decoder": trace.decoder_states.shape,
    }
    sizes["context"] = sizes["context"] if trace.attention is not None else (1, sizes["context"][1])
    lines = {name: [f"{count:,} × {width:,}"] for name, (count, width) in sizes.items()}
    heard = bool(trace.position_seconds)
    count = f"{len(trace.source):,} {'positions' if heard else 'tokens'}"
    lines |= {"source": [count], "output": [f"{len(trace.target):,} tokens"]}
    if outline is not None:
        for name, more in _makes(outline).items():
            lines[name] = [*more, *lines[name], *_weights(name, outline)]
    names = {
        "source": ("Source", _source_symbol(outline)),
        "encoder": ("Encoder", "states h_j"),
        "context": ("Context", _context_symbol(trace, outline)),
        "decoder": ("Decoder", "states s_t"),
        "output": ("Output", "y_t"),
    }
    return {
        key: {"name": name, "symbol": symbol, "lines": lines[key]}
        for key, (name, symbol) in names.items()
    }


def _beam_part(beam: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    if beam is None:
        return {}
    lines = ["kept hypotheses,", "best one on top;", "gold: the one", "that won"]
    return {"beam": {"name": "Beam", "symbol": f"width {beam['width']}", "lines": lines}}


def _context_symbol(trace: Trace, outline: Outline | None) -> str:
    if trace.attention is None:
        return "c = h_T"
    transformer = outline is not None and outline.kind == "transformer"
    return "c_t = W Σ α_{tj} v_j" if transformer else "c_t = Σ α_{tj} h_j"


def _source_symbol(outline: Outline | None) -> str:
    if outline is None or not outline.audio:
        return "x_j"
    return f"{outline.stride} frames → x_j"


def _makes(outline: Outline) -> dict[str, list[str]]:
    """Return how each part is made."""
    name, transformer = NAMES[outline.kind], outline.kind == "transformer"
    recurrent = f"bidirectional {name}" if outline.bidirectional else name
    inside = f" × {outline.encoder_heads} heads" if transformer else ""
    encoder = [f"{_layers(outline.encoder_layers)}{inside}" if transformer else recurrent]
    decoder = [
        f"{_layers(outline.decoder_layers)} × {outline.heads} heads" if transformer else name
    ]
    if not transformer and outline.encoder_layers > 1:
        encoder.append(_layers(outline.encoder_layers))
    if not transformer and outline.decoder_layers > 1:
        decoder.append(_layers(outline.decoder_layers))
    source = [f"vectors of {outline.embedding:,}"]
    if outline.audio:
        source = [f"{outline.stride} frames a position"]
    context = [] if outline.attention == "none" else [ATTENTIONS[outline.attention]]
    return {
        "source": source,
        "encoder": encoder,
        "context": context,
        "decoder": decoder,
        "output": [f"of {grouped(outline.vocabulary)} in the vocabulary"],
    }


def _layers(count: int) -> str:
    return "1 layer" if count == 1 else f"{count} layers"


WEIGHTS_OF = {
    "source": ("embedding", "subsampling"),
    "encoder": ("encoder",),
    "context": ("attention",),
    "decoder": ("decoder",),
    "output": ("readout", "output"),
}


def _weights(name: str, outline: Outline) -> list[str]:
    count = sum(outline.parameters.get(part, 0) for part in WEIGHTS_OF[name])
    return [f"{grouped(count)} weights"] if count else []


def _source(trace: Trace, symbols: Symbols) -> dict[str, Any]:
    return {
        "tokens": [label(piece) for piece in trace.source.pieces],
        "special": list(trace.source.special),
        "formula": encoder_formula(symbols.outline),
        "numbers": [source_numbers(symbols, place) for place in range(len(trace.source))],
        "sound": _sound(symbols.internals),
    }


def _sound(internals: RunInternals | None) -> dict[str, Any] | None:
    """Return what is heard as columns of bands from low to high, uint8 of base64; None for text."""
    if internals is None or internals.frames is None:
        return None
    frames = internals.frames[: internals.heard]
    times = np.array_split(np.arange(len(frames)), min(SOUND_COLUMNS, len(frames)))
    bands = np.array_split(np.arange(frames.shape[1]), min(SOUND_BANDS, frames.shape[1]))
    image = np.stack([[frames[np.ix_(t, b)].mean() for b in bands] for t in times])
    low, high = np.quantile(image, (0.05, 0.99))
    shares = np.clip((image - low) / max(float(high - low), 1e-6), 0, 1)
    values = _base64(np.rint(shares * 255).astype(np.uint8))
    return {"columns": image.shape[0], "bands": image.shape[1], "values": values}


def _target(trace: Trace) -> dict[str, Any]:
    return {
        "tokens": [label(piece) for piece in trace.target.pieces],
        "special": list(trace.target.special),
        "probabilities": [round(value, 4) for value in trace.probabilities.tolist()],
        "copying": None if trace.copying is None else [round(float(p), 4) for p in trace.copying],
    }


def _attention(trace: Trace) -> dict[str, Any] | None:
    """Return the attention as views: the mean over layers and heads, then each of them."""
    if trace.attention is None:
        return None
    target, layers, heads, source = trace.attention.shape
    mean = trace.attention.mean(axis=(1, 2), dtype=np.float32)[None]
    views, single = mean, layers * heads == 1
    if not single and (1 + layers * heads) * target * source <= MAX_WEIGHTS:
        each = trace.attention.astype(np.float32).reshape(target, layers * heads, source)
        views = np.concatenate([mean, each.transpose(1, 0, 2)])
    names = [] if len(views) == 1 else ["Mean over heads"]
    names += [f"Layer {i + 1}, head {j + 1}" for i in range(layers) for j in range(heads)][
        : len(views) - 1
    ]
    return {
        "views": names,
        "weights": _base64(np.rint(np.clip(views, 0, 1) * WEIGHT_UNIT).astype("<u2")),
    }


def _own(weights: np.ndarray | None, over: tuple[int, int]) -> str | None:
    """Return self-attention (positions, positions), its mean over layers and heads, as uint16."""
    if weights is None or weights.shape[-1] ** 2 > MAX_OWN:
        return None
    mean = weights.mean(axis=over, dtype=np.float32)
    return _base64(np.rint(np.clip(mean, 0, 1) * WEIGHT_UNIT).astype("<u2"))


def _step(trace: Trace, symbols: Symbols, step: int) -> dict[str, Any]:
    alternatives = trace.alternatives
    found = zip(
        alternatives.pieces[step], np.exp(alternatives.log_probabilities[step]), strict=True
    )
    candidates = [[label(piece), round(float(p), 4)] for piece, p in list(found)[:CANDIDATES]]
    return {
        "candidates": candidates,
        "rank": int(trace.ranks[step]),
        "formulas": step_formulas(symbols, step),
    }
