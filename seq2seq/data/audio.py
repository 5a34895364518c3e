"""Recordings to samples at 16 kHz, and samples to log-mel frames. Knows no model."""

from __future__ import annotations

import io
import math
import re
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq.errors import UserError, quote

RATE = 16_000  # samples a second, of everything after read_audio
WINDOW, HOP = 400, 160  # samples in a frame, and between the starts of two: 25 ms and 10 ms
MAX_SECONDS, MIN_SECONDS = 3600.0, 0.1
MAX_SAMPLES = 172_800_000  # that are read of each channel: an hour at 48 kHz
FORMATS = {"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3"}
# What no microphone or file of speech has; beyond, a header is damaged or made to do harm.
MAX_CHANNELS, RATES = 16, (4_000, 192_000)
BLOCK = 4_096  # values read at a time; what a damaged spot can cost
PART = 1_000_000  # samples that are resampled at a time
PHASES = 1_000  # whose filters are made at a time; an odd rate has 16,000
FRAMES = 6_000  # whose spectrum is held at a time
LENGTH_UNKNOWN = 0xFFFF_0000  # from here on, in the header of a WAV
SILENCE, FULL_SCALE, CLIPPED = 1e-4, 0.99, 0.01  # peak, level of a cut sample, share of those
EDGE, HUSHED = 0.1, 10 ** (-45 / 20)  # seconds at an end, and how loud they are where it is quiet
NO_ENERGY = -10.0  # of a band: log10 of the least that is told from none


@dataclass(frozen=True, eq=False)
class Audio:
    """A recording ready for log_mel.

    samples: (samples,), float32, one channel, 16,000 a second, in [-1, 1]. seconds: its length.
    notes: what was changed, and what is wrong with it, as sentences.
    """

    samples: np.ndarray
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording and what a model reads of it.

    samples: (samples,), in [-1, 1]; rate: of them in a second. frames: (frames, bins), as the model
    gets them, the silence that it is given after the recording left out; hop: seconds from one to
    the next. hertz: (bins,), the middle of each band.
    """

    samples: np.ndarray
    rate: int
    frames: np.ndarray
    hop: float
    hertz: np.ndarray


@dataclass
class _Told:
    """What is known of a recording once it is read.

    frames: that there were, one more than are used if it was cut. peak: of the mean of the
    channels; full: frames at full scale in some channel. damaged: if it was read in part only.
    """

    frames: int = 0
    peak: float = 0.0
    full: int = 0
    damaged: bool = False


class _Sound(soundfile.SoundFile):
    """A file that is read from its beginning to its end.

    soundfile seeks after each read of one that it can seek in, which breaks the tone of an MP3.
    """

    def seekable(self) -> bool:
        return False


def read_audio(source: bytes | str | Path, name: str = "", limit: float = MAX_SECONDS) -> Audio:
    """Read a recording, WAV, FLAC, OGG or MP3, from bytes or a file; `limit` seconds at most.

    source: what a file holds, or its path. name: what messages call it. Never holds more than the
    part that is used, whatever the header claims; of more than MAX_SAMPLES, the first are. Raises
    UserError if it cannot be read, is shorter than 0.1 s, or is silent.
    """
    if not isinstance(source, bytes | str | Path):
        raise UserError(f"A recording is a file, not {quote(source)}: give its path or its bytes.")
    source = Path(source) if isinstance(source, str) else source
    name = name or (source.name if isinstance(source, Path) else "The recording")
    if source == b"":
        raise UserError(f"{name} is empty: choose another file.")
    try:
        with (
            open(source, "rb") if isinstance(source, Path) else io.BytesIO(source) as file,
            _Sound(file) as sound,
        ):
            return _read(sound, name, limit)
    except FileNotFoundError:
        raise UserError(f"There is no file {name}: check its path.") from None
    except (OSError, RuntimeError, ValueError, TypeError, OverflowError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{name} cannot be read: give WAV, FLAC, OGG or MP3.") from None


def _read(sound: soundfile.SoundFile, name: str, limit: float) -> Audio:
    rate = sound.samplerate
    if sound.format not in FORMATS:
        raise UserError(f"{name} is of the format {sound.format}: give WAV, FLAC, OGG or MP3.")
    if sound.channels > MAX_CHANNELS or not RATES[0] <= rate <= RATES[1]:
        raise UserError(
            f"{name} claims {sound.channels} channels at {rate:,} Hz: give at most {MAX_CHANNELS} "
            f"at {RATES[0]:,} to {RATES[1]:,} Hz."
        )
    most, told = min(int(limit * rate), MAX_SAMPLES), _Told()
    parts = list(_resampled(_mixed(sound, most, told), rate))
    if told.frames < MIN_SECONDS * rate:
        raise UserError(f"{name} is shorter than {MIN_SECONDS} seconds: record some more.")
    if told.peak < SILENCE:
        raise UserError(f"{name} is silent: check the microphone and record again.")
    samples = np.concatenate(parts)
    return Audio(samples, len(samples) / RATE, tuple(_notes(sound, most, told)))


def _notes(sound: soundfile.SoundFile, most: int, told: _Told) -> Iterator[str]:
    """Say what was changed, and what is wrong. most: frames that are used."""
    rate, used = sound.samplerate, min(told.frames, most)
    if told.damaged:
        yield "The file is damaged: only the part before the damage was read."
    elif told.frames <= most and _ends_early(sound, told.frames):
        yield "The file ends too early: what there is of it was read."
    if told.frames > most:
        yield f"Only the first {most / rate:,g} seconds were read."
    if told.full > CLIPPED * used:
        share = 100 * told.full / used
        yield f"The recording is too loud: {share:.0f} % of its samples are cut off."
    if sound.channels > 1:
        yield f"{sound.channels} channels were mixed to one."
    if rate != RATE:
        yield f"Resampled from {rate:,} to {RATE:,} Hz."


def _ends_early(sound: soundfile.SoundFile, frames: int) -> bool:
    """Tell whether there are fewer frames than a file was to have.

    libsndfile corrects the length of some formats and says so in its log. What is written to a pipe
    claims a length of 0 or of nearly 4 GB, since nobody knows its length yet.
    """
    claimed = re.search(r"^data : (\d+) \(should be (\d+)\)", sound.extra_info, re.MULTILINE)
    if claimed:
        return int(claimed[2]) < int(claimed[1]) < LENGTH_UNKNOWN
    if sound.format == "OGG":
        return "lacks an end-of-stream bit" in sound.extra_info
    # That of an MP3 without an index is an estimate; that of a FLAC from a pipe is endless.
    return frames < 0.9 * sound.frames < LENGTH_UNKNOWN


def _mixed(sound: soundfile.SoundFile, most: int, told: _Told) -> Iterator[np.ndarray]:
    """Yield the first `most` frames as the mean of the channels, and tell of them.

    Reads one more if there is one.
    """
    size = max(1, BLOCK // sound.channels)
    while told.frames <= most:
        try:
            block = sound.read(min(size, most + 1 - told.frames), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            told.damaged = True
            return
        if not len(block):
            return
        block = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0)
        told.full += int((np.abs(block) >= FULL_SCALE).any(axis=1).sum())
        mixed = block.mean(axis=1).astype(np.float32)[: most - told.frames]
        told.frames += len(block)
        told.peak = max(told.peak, float(np.abs(mixed).max(initial=0.0)))
        yield mixed


def _resampled(blocks: Iterator[np.ndarray], rate: int) -> Iterator[np.ndarray]:
    """Yield blocks (time,) at RATE and in [-1, 1], of which only a part is held at another rate.

    Each part is resampled with what stands on either side of it, so that they join seamlessly.
    """
    shared = math.gcd(rate, RATE)
    up, down = RATE // shared, rate // shared
    # Whole numbers of `down` samples, of which `up` are made.
    edge = -(-_filters(up, down).shape[1] // down) * down if up != down else 0
    step = -(-PART // down) * down
    parts, held = [np.zeros(edge, np.float32)], edge
    for block in blocks:
        parts.append(block)
        held += len(block)
        if held >= edge + step + edge:
            joined = np.concatenate(parts)
            yield _within(joined, rate, edge * up // down, (edge + step) * up // down)
            parts, held = [joined[step:]], held - step
    yield _within(np.concatenate(parts), rate, edge * up // down)


def _within(samples: np.ndarray, rate: int, first: int, end: int | None = None) -> np.ndarray:
    """Return samples at RATE from a first to an end, in [-1, 1]."""
    return np.clip(resample(torch.from_numpy(samples), rate, RATE).numpy()[first:end], -1, 1)


def to_wav(samples: np.ndarray) -> bytes:
    """Write samples (time,) in [-1, 1] at 16 kHz as a WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def resample(samples: Tensor, rate: int, new_rate: int) -> Tensor:
    """Change samples (time,) from one rate to another, both in Hz: (time x new_rate / rate,).

    Interpolates with a sinc under a Kaiser window, cut off below half the lower rate, so that
    nothing is mirrored (Smith, "Digital Audio Resampling", section on bandlimited interpolation).
    """
    shared = math.gcd(rate, new_rate)
    up, down = new_rate // shared, rate // shared
    if up == down:
        return samples
    filters = _filters(up, down)
    taps = filters.shape[1]
    count = -(-len(samples) * up // down)
    windows = F.pad(samples, (taps // 2, taps)).unfold(0, taps, 1)
    resampled = samples.new_empty(count)
    step = max(1, 4_000_000 // taps)
    for start in range(0, count, step):
        position = torch.arange(start, min(start + step, count)) * down
        chosen = windows[position // up] * filters[position % up]
        resampled[start : start + step] = chosen.sum(dim=1)
    return resampled


@lru_cache(maxsize=4)
def _filters(up: int, down: int) -> Tensor:
    """Return one filter for each phase between two input samples: (up, taps), each summing to 1.

    The window spans 32 zeros of the sinc on either side: 80 dB down at half the lower rate.
    """
    zeros, cutoff, beta = 32, 0.92 * min(1.0, up / down), 8.0
    half = math.ceil(zeros / cutoff)
    found = []
    for phases in (torch.arange(up, dtype=torch.float64)[:, None] / up).split(PHASES):
        distance = phases - torch.arange(-half, half + 1)
        inside = (1 - (distance / (half + 1)) ** 2).clamp(min=0)
        window = torch.special.i0(beta * inside.sqrt())
        filters = torch.sinc(cutoff * distance) * window
        found.append((filters / filters.sum(dim=1, keepdim=True)).float())
    return torch.cat(found)


def with_quiet(samples: np.ndarray, seconds: float) -> np.ndarray:
    """Put so much silence before samples that begin with sound, and after those that end so.

    A word that is cut off where it begins is then heard like one in a sentence.
    """
    if not seconds:
        return samples
    edge, loudest = round(EDGE * RATE), np.abs(samples).max(initial=0.0)
    ends = (samples[:edge], samples[-edge:])
    sounding = [bool(np.sqrt(np.mean(end**2)) > HUSHED * loudest) for end in ends]
    return np.pad(samples, [round(seconds * RATE) * each for each in sounding])


def log_mel(
    samples: np.ndarray | Tensor,
    bins: int = 80,
    pad_to: float | None = None,
    level: str = "",
) -> Tensor:
    """Return the log-mel frames of samples (time,) at 16 kHz: (frames, bins), 100 frames a second.

    These are the features of Whisper (Radford et al. 2022, section 2.2): log10 of the energy in
    `bins` mel bands, no lower than 8 (80 dB) below the loudest, then (x + 4) / 4. pad_to: seconds
    to fill up with silence or to cut to, 30 for Whisper; None for one frame for each 160 samples.
    level: what they are measured from instead, see `standardise`.
    Raises UserError for less than two frames of sound.
    """
    samples = torch.as_tensor(samples, dtype=torch.float32)
    if pad_to is not None:
        length = int(pad_to * RATE)
        samples = F.pad(samples[:length], (0, max(0, length - len(samples))))
    mel = log_energy(samples, bins)
    return standardise(mel, level) if level else (_lifted(mel) + 4) / 4


def log_energy(samples: Tensor, bins: int = 80) -> Tensor:
    """Return log10 of the energy of samples (time,) at 16 kHz in each band: (frames, bins).

    Raises UserError for less than two frames of sound.
    """
    count = len(samples) // HOP
    if count < 2:
        raise UserError("The recording is too short to be heard: record some more.")
    # Each frame's middle is its time: at both ends, the sound is mirrored.
    mirrored = F.pad(samples[None], (WINDOW // 2, WINDOW // 2), mode="reflect")[0]
    parts = [
        _band_energy(mirrored[start * HOP :], min(FRAMES, count - start), bins)
        for start in range(0, count, FRAMES)
    ]
    return torch.cat(parts, dim=1).clamp(min=10**NO_ENERGY).log10().T


def _band_energy(samples: Tensor, frames: int, bins: int) -> Tensor:
    """Return the energy of so many frames in each band: (bins, frames)."""
    held = samples[: (frames - 1) * HOP + WINDOW]
    window = torch.hann_window(WINDOW)
    spectrum = torch.stft(held, WINDOW, HOP, window=window, center=False, return_complex=True)
    return mel_filters(bins) @ spectrum.abs().square()


def standardise(mel: Tensor, level: str = "mean") -> Tensor:
    """Give log energies (frames, bins) a common level and range.

    level: "mean", floored as in log_mel, for mean 0 and variance 1 over all; "peak" for 0
    at 60 dB below the loudest and 3 at the loudest, so that quiet around a word is 0, and does not
    change the word. Not band by band: in a short word among silence, that would lift the silence to
    its level.
    """
    if level == "peak":
        return (mel - mel.max() + 6).clamp(min=0) / 2
    mel = _lifted(mel)
    return (mel - mel.mean()) / (mel.std(correction=0) + 1e-3)


def _lifted(mel: Tensor) -> Tensor:
    return torch.maximum(mel, mel.max() - 8)


@lru_cache(maxsize=4)
def mel_filters(bins: int) -> Tensor:
    """Return triangular filters from FFT bins to mel bands: (bins, 201).

    The mel scale and the area normalisation are those of Slaney's Auditory Toolbox (1998): linear
    up to 1 kHz, logarithmic above.
    """
    edges = torch.tensor(_edges(bins))
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequencies = torch.linspace(0, RATE / 2, WINDOW // 2 + 1)
    rising = (frequencies - low) / (centre - low)
    falling = (high - frequencies) / (high - centre)
    return torch.minimum(rising, falling).clamp(min=0) * 2 / (high - low)


def band_hertz(bins: int) -> np.ndarray:
    """Return the middle of each mel band in Hz: (bins,)."""
    return np.array(_edges(bins)[1:-1])


def _edges(bins: int) -> list[float]:
    top = _hertz_to_mel(RATE / 2)
    return [_mel_to_hertz(top * i / (bins + 1)) for i in range(bins + 2)]


def _hertz_to_mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * math.log(hertz / 1000) / math.log(6.4)


def _mel_to_hertz(mel: float) -> float:
    return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)
