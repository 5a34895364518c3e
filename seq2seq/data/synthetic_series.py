"""Series of known processes, to learn forecasting from: one function a kind, many rows at once.

Kernel compositions as in Chronos (Ansari et al. 2024, section 4.2), exponential smoothing and ARIMA
processes (Hyndman and Athanasopoulos 2021, chapters 8 and 9), calendar patterns, and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator

# All kinds return (rows, length); season: observations after which a pattern repeats, 1 for none.
Kind = Callable[[Generator, int, int, int], np.ndarray]


def log_uniform(
    draw: Generator, low: float, high: float, size: int | tuple[int, ...]
) -> np.ndarray:
    """Draw numbers whose logarithms are equally likely."""
    return np.exp(draw.uniform(np.log(low), np.log(high), size))


def noise(draw: Generator, rows: int, length: int) -> np.ndarray:
    """Unit noise (rows, length): normal, or for a third of the rows with heavy tails."""
    normal = draw.standard_normal((rows, length))
    heavy = draw.standard_t(4, (rows, length)) / np.sqrt(2)
    return np.where(draw.random((rows, 1)) < 1 / 3, heavy, normal)


def seasonal_pattern(draw: Generator, rows: int, season: int) -> np.ndarray:
    """Patterns (rows, season) of mean 0 and deviation 1: a few harmonics, or free values."""
    time = np.arange(season)
    count = min(6, max(1, season // 2))
    harmonic = np.arange(1, count + 1)
    size = draw.standard_normal((rows, count)) * harmonic ** -draw.uniform(0.3, 2, (rows, 1))
    phase = draw.uniform(0, 2 * np.pi, (rows, count, 1))
    waves = np.cos(2 * np.pi * harmonic[:, None] * time / season + phase)
    smooth = np.einsum("rk,rkt->rt", size, waves)
    free = draw.standard_normal((rows, season)) * (draw.random((rows, season)) < 0.6)
    pattern = np.where(draw.random((rows, 1)) < 0.7, smooth, free)
    pattern = pattern - pattern.mean(axis=1, keepdims=True)
    return pattern / (pattern.std(axis=1, keepdims=True) + 1e-9)


def repeated(pattern: np.ndarray, length: int) -> np.ndarray:
    """Repeat patterns (rows, season) to (rows, length)."""
    return np.tile(pattern, (1, -(-length // pattern.shape[1])))[:, :length]


def exponential_smoothing(draw: Generator, rows: int, length: int, season: int) -> np.ndarray:
    """Level, damped trend and season that follow their own errors (innovations form).

    Half of the rows are exponentiated, so that trend and season multiply.
    """
    alpha = draw.beta(0.7, 1.3, rows)
    beta = alpha * draw.beta(0.5, 4, rows) * (draw.random(rows) < 0.6)
    gamma = (1 - alpha) * draw.beta(0.5, 6, rows) * (draw.random(rows) < 0.7)
    damping = np.where(draw.random(rows) < 0.5, 1.0, draw.uniform(0.85, 0.99, rows))
    level = np.zeros(rows)
    trend = draw.standard_normal(rows) * log_uniform(draw, 0.003, 0.3, rows)
    trend *= draw.random(rows) < 0.6
    strength = log_uniform(draw, 0.3, 6, (rows, 1)) * (draw.random((rows, 1)) < 0.75)
    pattern = seasonal_pattern(draw, rows, season) * strength if season > 1 else np.zeros((rows, 1))
    errors, values = noise(draw, rows, length), np.empty((rows, length))
    for time in range(length):
        place = time % pattern.shape[1]
        before = level + damping * trend
        values[:, time] = before + pattern[:, place] + errors[:, time]
        level = before + alpha * errors[:, time]
        trend = damping * trend + beta * errors[:, time]
        pattern[:, place] += gamma * errors[:, time]
    return _some_exponentiated(draw, values)


def _some_exponentiated(draw: Generator, values: np.ndarray) -> np.ndarray:
    """Exponentiate half of the rows, with a coefficient of variation as series of counts have."""
    spread = values.std(axis=1, keepdims=True) + 1e-9
    size = log_uniform(draw, 0.05, 1.0, (len(values), 1))
    growing = np.exp(np.clip(values / spread * size, -6, 6))
    return np.where(draw.random((len(values), 1)) < 0.5, growing, values)


def arima(draw: Generator, rows: int, length: int, season: int) -> np.ndarray:
    """ARMA(2, 1) processes, of which some are summed up once, with a seasonal term for some."""
    first = draw.uniform(-0.3, 0.99, rows)
    second = draw.uniform(-0.5, 0.5, rows) * (draw.random(rows) < 0.4)
    # The two roots of the characteristic polynomial stay inside the unit circle.
    one, two = first + second, -first * second
    moving = draw.uniform(-0.8, 0.8, rows) * (draw.random(rows) < 0.5)
    yearly = draw.uniform(0.3, 0.98, rows) * (draw.random(rows) < 0.6) * (season > 1)
    burn = 3 * season if season > 1 else 30
    errors = noise(draw, rows, length + burn)
    values = np.zeros((rows, length + burn))
    for time in range(2, length + burn):
        values[:, time] = (
            one * values[:, time - 1]
            + two * values[:, time - 2]
            + errors[:, time]
            + moving * errors[:, time - 1]
        )
    for time in range(season, length + burn):
        values[:, time] += yearly * values[:, time - season]
    values = values[:, burn:]
    drift = draw.standard_normal((rows, 1)) * 0.2
    summed = np.cumsum(values + drift * values.std(axis=1, keepdims=True), axis=1)
    values = np.where(draw.random((rows, 1)) < 0.5, summed, values)
    return _some_exponentiated(draw, values)


def smooth(draw: Generator, rows: int, length: int, season: int) -> np.ndarray:
    """Gaussian processes with a squared exponential kernel, by random cosines (Rahimi and Recht
    2007), of a length scale between a few steps and the whole series.
    """
    scale = log_uniform(draw, 4, 2 * length, (rows, 1, 1))
    pulse = draw.standard_normal((rows, 24, 1)) / scale
    phase = draw.uniform(0, 2 * np.pi, (rows, 24, 1))
    return np.cos(pulse * np.arange(length) + phase).sum(axis=1) * np.sqrt(2 / 24)


def periodic(draw: Generator, rows: int, length: int, season: int) -> np.ndarray:
    """A repeated pattern: of the season, of any other length for some, or of both."""
    other = int(draw.integers(3, max(4, min(60, length // 3))))
    first = repeated(seasonal_pattern(draw, rows, season if season > 1 else other), length)
    second = repeated(seasonal_pattern(draw, rows, other), length)
    return first + 0.7 * second * (draw.random((rows, 1)) < 0.2)


def linear(draw: Generator, rows: int, length: int, season: int) -> np.ndarray:
    """Straight lines of random slope."""
    time = np.linspace(-1, 1, length)
    return draw.standard_normal((rows, 1)) * time * 2 + draw.standard_normal((rows, 1))


def white(draw: Generator, rows: int, length: int, season: int) -> np.ndarray:
    """Noise of a random size."""
    return noise(draw, rows, length) * log_uniform(draw, 0.05, 1, (rows, 1))


def kernel_composition(draw: Generator, rows: int, length: int, season: int) -> np.ndarray:
    """Two to five Gaussian processes, each added to or multiplied with what stands so far.

    The product of independent processes has the product of their kernels.
    """
    parts: Sequence[Kind] = (smooth, periodic, linear, white, periodic)
    values = parts[int(draw.integers(2))](draw, rows, length, season)
    for _ in range(draw.integers(1, 5)):
        other = parts[int(draw.integers(len(parts)))](draw, rows, length, season)
        times = draw.random((rows, 1)) < 0.3
        values = np.where(times, values * (1 + 0.5 * other), values + other)
    return values + white(draw, rows, length, season) * 0.3


def calendar(draw: Generator, rows: int, length: int, season: int) -> np.ndarray:
    """A short and a long cycle, single days that stand out, and shifts of the level.

    As a day within a week within a year, or an hour within a day within a week.
    """
    short = season if season > 1 else 4
    longer = {7: 365, 24: 168, 48: 336, 288: 2016, 5: 260, 12: 120}.get(season, 52)
    values = repeated(seasonal_pattern(draw, rows, short), length)
    slow = seasonal_pattern(draw, rows, longer)
    start = int(draw.integers(longer))
    slow = np.roll(repeated(slow, length + longer), -start, axis=1)[:, :length]
    values = values * log_uniform(draw, 0.3, 3, (rows, 1)) * (1 + 0.2 * slow) + slow
    shift = (np.arange(length) > draw.integers(0, length, (rows, 1))) * draw.normal(0, 2, (rows, 1))
    events = (draw.random((rows, length)) < 0.01) * draw.normal(0, 4, (rows, length))
    steady = draw.random((rows, 1)) < 0.6
    lasting = arima(draw, rows, length, 1)
    lasting = lasting / (lasting.std(axis=1, keepdims=True) + 1e-9)
    values = values + np.where(steady, 0, shift) + events * (draw.random((rows, 1)) < 0.3)
    size = log_uniform(draw, 0.1, 1.5, (rows, 1))
    return values + lasting * size + 0.2 * noise(draw, rows, length)


def counts(draw: Generator, rows: int, length: int, season: int) -> np.ndarray:
    """Counts whose mean follows a slow curve and a season; many zeros where the mean is small."""
    rate = smooth(draw, rows, length, season) * 0.5
    if season > 1:
        rate = rate + 0.5 * repeated(seasonal_pattern(draw, rows, season), length)
    mean = log_uniform(draw, 0.2, 60, (rows, 1)) * np.exp(np.clip(rate, -4, 4))
    spread = log_uniform(draw, 1, 50, (rows, 1))
    overdispersed = draw.gamma(spread, mean / spread)
    return draw.poisson(overdispersed).astype(np.float64)


KINDS: dict[str, Kind] = {
    "exponential_smoothing": exponential_smoothing,
    "arima": arima,
    "kernel_composition": kernel_composition,
    "calendar": calendar,
    "counts": counts,
}
SHARES = {
    "exponential_smoothing": 0.4,
    "arima": 0.2,
    "kernel_composition": 0.15,
    "calendar": 0.15,
    "counts": 0.1,
}


def synthetic_series(draw: Generator, rows: int, length: int, season: int) -> np.ndarray:
    """Draw series (rows, length) of one kind, which is drawn too; finite, of any level and unit."""
    kind = draw.choice(list(SHARES), p=list(SHARES.values()))
    values = KINDS[kind](draw, rows, length, season)
    if kind == "counts":
        return values
    level = log_uniform(draw, 0.5, 30, (rows, 1)) * values.std(axis=1, keepdims=True)
    return np.nan_to_num(values + level * (draw.random((rows, 1)) < 0.7))


def mixed(draw: Generator, series: Sequence[np.ndarray]) -> np.ndarray:
    """Mix windows of equal length, each (time,), with random weights that sum to 1.

    Each is divided by its mean absolute value before. TSMixup, Chronos, section 4.1.
    """
    weights = draw.dirichlet(np.full(len(series), 1.5))
    scaled = [window / (np.nanmean(np.abs(window)) or 1.0) for window in series]
    return np.einsum("k,kt->t", weights, np.stack(scaled))
