"""Recordings made different at every epoch: other speeds, voices, rooms; gaps; strings of them.

All but the speed is done to log energies (frames, bins) in log10, before they are normalised;
normalising removes the loudness, so that is not varied.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq.data.audio import NO_ENERGY, RATE, log_energy, mel_filters, resample, standardise
from seq2seq.training.recipe import AugmentationSettings


def at_speed(samples: np.ndarray, speed: float, bins: int) -> Tensor:
    """Return the log energies (frames, bins) of samples played so much faster (Ko et al. 2015)."""
    sound = torch.from_numpy(samples)
    return log_energy(resample(sound, round(RATE * speed), RATE), bins)


def vary(
    mel: Tensor, settings: AugmentationSettings, draw: random.Random, level: str = "mean"
) -> Tensor:
    """Return normalised features (frames, bins) of a changed copy of log energies."""
    mel = warp(mel, 1 + draw.uniform(-settings.warp, settings.warp))
    mel = mel + colour(mel.shape[1], settings.colour, draw)
    if settings.background and draw.random() < settings.background:
        mel = surround(mel, settings.silence, draw)
        mel = add_noise(mel, draw.uniform(*settings.background_decibels), draw)
    if draw.random() < settings.room:
        mel = reverberate(mel, draw.uniform(*settings.room_seconds), draw.uniform(0.05, 0.5))
    if draw.random() < settings.narrow:
        mel = narrow(mel)
    if draw.random() < settings.noise:
        mel = add_noise(mel, draw.uniform(*settings.noise_decibels), draw)
    return mask(standardise(mel, level), settings, draw)


def warp(mel: Tensor, factor: float) -> Tensor:
    """Stretch the frequency axis: another length of the vocal tract (Jaitly and Hinton 2013)."""
    bins = mel.shape[1]
    position = (torch.arange(bins) * factor).clamp(max=bins - 1)
    low = position.long().clamp(max=bins - 2)
    return torch.lerp(mel[:, low], mel[:, low + 1], position - low)


def colour(bins: int, decibels: float, draw: random.Random) -> Tensor:
    """Return what another microphone or room adds to each band's log energy: (bins,).

    Two slow waves over the bands, together at most so many decibels.
    """
    place = torch.linspace(0, math.pi, bins)
    waves = sum(torch.cos(draw.uniform(0.5, 3) * place + draw.uniform(0, 6.3)) for _ in range(2))
    return draw.uniform(0, decibels / 20) * torch.as_tensor(waves)


def narrow(mel: Tensor) -> Tensor:
    """Take away what a telephone does: all above 4 kHz."""
    centres = mel_filters(mel.shape[1]).argmax(dim=1)
    return mel.masked_fill(centres > 100, NO_ENERGY)


def reverberate(mel: Tensor, seconds: float, late: float) -> Tensor:
    """Add the echo of a room, whose energy falls exponentially (Lebart, Boucher and Denbigh 2001).

    seconds: until it is 60 dB weaker. late: energy of the echo, as a share of the sound's own.
    """
    fading = 10 ** (-6 * torch.arange(1, max(2, round(100 * seconds)) + 1) / (100 * seconds))
    echo = (late * fading / fading.sum()).flip(0)[None, None]
    energy = 10**mel
    padded = F.pad(energy.T[:, None], (echo.shape[-1], 0))
    return (energy + F.conv1d(padded, echo)[:, 0, :-1].T).log10()


def add_noise(mel: Tensor, decibels: float, draw: random.Random) -> Tensor:
    """Add stationary noise, so many dB below the mean energy, of a random slope over frequency."""
    energy = 10**mel
    generator = torch.Generator().manual_seed(draw.getrandbits(62))
    # The energy of Gaussian noise in one bin of a spectrum is exponentially distributed.
    noise = torch.empty_like(mel).exponential_(generator=generator)
    slope = torch.linspace(0, draw.uniform(-3, 1), mel.shape[1])
    noise = noise * 10 ** (slope - slope.max())
    return (energy + noise * energy.mean() * 10 ** (-decibels / 10)).log10()


def surround(mel: Tensor, most: int, draw: random.Random) -> Tensor:
    """Put up to `most` frames of perfect silence before log energies, and as many after them."""
    return F.pad(mel, (0, 0, draw.randint(0, most), draw.randint(0, most)), value=NO_ENERGY)


def mask(frames: Tensor, settings: AugmentationSettings, draw: random.Random) -> Tensor:
    """Put 0 over spans of time and of frequency (SpecAugment, Park et al. 2019).

    It is the mean at the level "mean", and quiet at the level "peak".
    """
    frames = frames.clone()
    time, bins = frames.shape
    for _ in range(round(settings.time_masks * time / 100)):
        width = draw.randint(0, settings.time_width)
        start = draw.randint(0, max(0, time - width))
        frames[start : start + width] = 0
    for _ in range(settings.bin_masks):
        width = min(bins, draw.randint(0, settings.bin_width))
        start = draw.randint(0, bins - width)
        frames[:, start : start + width] = 0
    return frames


def lengthen(frames: Tensor, length: int, draw: random.Random) -> Tensor:
    """Put the quietest frames before and after, in random order, until there are `length`."""
    missing = length - len(frames)
    if missing <= 0:
        return frames
    quietest = frames.mean(dim=1).argsort()[: max(1, len(frames) // 10)].tolist()
    chosen = frames[[draw.choice(quietest) for _ in range(missing)]]
    before = draw.randint(0, missing)
    return torch.cat([chosen[:before], frames, chosen[before:]])


def in_strings(speakers: Sequence[str], most: int, draw: random.Random) -> list[list[int]]:
    """Group recordings, each in one group, into strings of 1 to `most` of one speaker.

    Half of the strings are single recordings, where `most` is more than 1.
    """
    order = list(range(len(speakers)))
    draw.shuffle(order)
    order.sort(key=lambda number: speakers[number])
    groups: list[list[int]] = []
    room = 0
    for number in order:
        if not room or speakers[groups[-1][-1]] != speakers[number]:
            groups.append([])
            room = 1 if draw.random() < 0.5 else draw.randint(min(2, most), most)
        groups[-1].append(number)
        room -= 1
    return groups
