"""Series to try a forecaster on, each made by a process that is stated beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from seq2seq.data.series import Series


class ExampleSeries(NamedTuple):
    """One example. process: how it is made, in words. frequency: a code. length: values."""

    title: str
    process: str
    frequency: str
    length: int
    make: Callable[[Generator, np.ndarray], np.ndarray]

    def series(self) -> Series:
        """Make the series: the same one each time."""
        draw = np.random.default_rng(sum(map(ord, self.title)))
        values = self.make(draw, np.arange(self.length, dtype=np.float64))
        return Series(np.round(values, 3), self.frequency, name=self.title)


def _wave(time: np.ndarray, period: float, peak: float = 0.0) -> np.ndarray:
    return np.cos(2 * np.pi * (time - peak) / period)


def _autoregressive(draw: Generator, length: int, coefficient: float) -> np.ndarray:
    values, errors = np.zeros(length), draw.standard_normal(length)
    for time in range(1, length):
        values[time] = coefficient * values[time - 1] + errors[time]
    return values


def _growing_season(draw: Generator, time: np.ndarray) -> np.ndarray:
    level = 120 * np.exp(0.009 * time)
    season = 1 + 0.2 * _wave(time, 12, 7) + 0.06 * _wave(time, 6, 1)
    return level * season * np.exp(draw.normal(0, 0.025, len(time)))


def _weekly_visits(draw: Generator, time: np.ndarray) -> np.ndarray:
    day = np.array([1.1, 1.15, 1.1, 1.05, 1.0, 0.7, 0.6])[time.astype(int) % 7]
    return draw.poisson(400 * day * np.exp(0.1 * _autoregressive(draw, len(time), 0.9) / 2.3))


def _hourly_load(draw: Generator, time: np.ndarray) -> np.ndarray:
    day = 30 - 8 * _wave(time, 24, 4) + 3 * _wave(time, 12, 8)
    weekend = (time // 24 % 7 >= 5) * -4
    return day + weekend + 0.6 * _autoregressive(draw, len(time), 0.8)


def _quarterly_output(draw: Generator, time: np.ndarray) -> np.ndarray:
    season = np.array([-6.0, 2.0, 9.0, -5.0])[time.astype(int) % 4]
    trend = 100 + 0.9 * time - 0.8 * np.maximum(time - 60, 0)
    return trend + season + draw.normal(0, 1.5, len(time))


def _random_walk(draw: Generator, time: np.ndarray) -> np.ndarray:
    return 50 + np.cumsum(draw.normal(0.4, 2, len(time)))


def _noise(draw: Generator, time: np.ndarray) -> np.ndarray:
    return draw.normal(20, 3, len(time))


def _level_shift(draw: Generator, time: np.ndarray) -> np.ndarray:
    return 80 + 25 * (time >= 90) + draw.normal(0, 3, len(time))


def _intermittent(draw: Generator, time: np.ndarray) -> np.ndarray:
    return (draw.random(len(time)) < 0.25) * (1 + draw.poisson(3, len(time)))


def _seasonal_counts(draw: Generator, time: np.ndarray) -> np.ndarray:
    return draw.poisson(np.exp(1.2 + 0.8 * _wave(time, 12, 1)))


def _long_cycle(draw: Generator, time: np.ndarray) -> np.ndarray:
    size = 40 + 15 * _wave(time, 90)
    return np.maximum(size * (1 + _wave(time, 11, 4)) + draw.normal(0, 5, len(time)), 0)


EXAMPLE_SERIES = (
    ExampleSeries(
        "Monthly, growing season",
        "120 e^(0.009 t) times a yearly pattern of two cosines, and log-normal noise of 2.5 %",
        "M",
        150,
        _growing_season,
    ),
    ExampleSeries(
        "Daily visits",
        "Poisson counts, weekends a third lower, around a level that follows an AR(1) process",
        "D",
        140,
        _weekly_visits,
    ),
    ExampleSeries(
        "Hourly load",
        "a daily cycle of two cosines, 4 less at weekends, and AR(1) noise of coefficient 0.8",
        "H",
        240,
        _hourly_load,
    ),
    ExampleSeries(
        "Quarterly output, slowing",
        "a line that flattens after 60 quarters, four fixed seasonal values, and normal noise",
        "Q",
        88,
        _quarterly_output,
    ),
    ExampleSeries(
        "Yearly random walk",
        "sums of normal steps with mean 0.4 and deviation 2",
        "Y",
        70,
        _random_walk,
    ),
    ExampleSeries(
        "Monthly noise",
        "independent normal values of mean 20 and deviation 3: nothing can be known but these two",
        "M",
        130,
        _noise,
    ),
    ExampleSeries(
        "Weekly level shift",
        "normal noise around 80, and around 105 from week 90 on",
        "W",
        130,
        _level_shift,
    ),
    ExampleSeries(
        "Weekly intermittent demand",
        "0 in three weeks of four, otherwise 1 plus a Poisson count of mean 3",
        "W",
        130,
        _intermittent,
    ),
    ExampleSeries(
        "Monthly counts",
        "Poisson counts whose mean follows a yearly cosine between 1.5 and 7",
        "M",
        140,
        _seasonal_counts,
    ),
    ExampleSeries(
        "Yearly, a cycle of eleven years",
        "a cosine of 11 years whose size follows one of 90 years, cut off at 0, and normal noise",
        "Y",
        100,
        _long_cycle,
    ),
)
