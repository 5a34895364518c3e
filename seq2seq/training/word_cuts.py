"""Where the words of a recording begin and end, so that parts of it can be learnt as well.

Told by a model that hears it already: the attention of each character peaks somewhere, and between
the last peak of a word and the first of the next there is a quietest moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from seq2seq.data.tokenizer import WORD_START, Unigram
from seq2seq.models.seq2seq import Seq2Seq

SMOOTHED = 5  # frames whose mean energy tells how quiet a moment is
QUIET = 3.0  # below the loudest moment, in log10 of the energy: nothing is said


@torch.inference_mode()
def word_cuts(
    model: Seq2Seq, tokenizer: Unigram, frames: Tensor, mel: Tensor, target: Sequence[int]
) -> list[int]:
    """Return the frames at which each word begins, and where the last one ends.

    frames, mel: (frames, bins), as the model hears them, and log energies. target: the text's ids.
    Empty where the attention does not go through the words from left to right.
    """
    device = next(model.parameters()).device
    memory = model.encode(frames[None].to(device))
    written = torch.tensor([[model.config.bos, *target]], device=device)
    steps = model.decoder(written, memory, record=True)
    if steps.weights is None:
        return []
    weights = steps.weights[0, : len(target)].flatten(1, -2).mean(dim=1)
    peaks = (weights.argmax(dim=-1) * model.config.stride).tolist()
    spans = _spans(tokenizer.pieces(target), peaks)
    if any(before[1] >= after[0] for before, after in pairwise(spans)):
        return []
    energy = (10**mel).mean(dim=1).numpy()
    energy = np.log10(np.convolve(energy, np.full(SMOOTHED, 1 / SMOOTHED), mode="same"))
    between = [a[1] + int(energy[a[1] : b[0] + 1].argmin()) for a, b in pairwise(spans)]
    said = np.flatnonzero(energy > energy.max() - QUIET)
    return [int(said[0]), *between, int(said[-1]) + 1]


def _spans(pieces: Sequence[str], peaks: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first and the last peak of each word; a piece of a space alone is in none."""
    words: list[list[int]] = []
    for piece, peak in zip(pieces, peaks, strict=True):
        if piece.startswith(WORD_START) or not words:
            words.append([])
        if piece != WORD_START:
            words[-1].append(peak)
    return [(min(word), max(word)) for word in words if word]
