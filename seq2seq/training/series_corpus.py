"""What a forecaster trains on: windows of real series, mixes of them, and synthetic series."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.batching import Batch, Example, pad, plan_batches
from seq2seq.data.frequency import frequency
from seq2seq.data.series import Series, read_series
from seq2seq.data.synthetic_series import mixed, synthetic_series
from seq2seq.data.tokenizer import BOS, PAD, UNKNOWN
from seq2seq.data.value_tokenizer import ValueTokenizer
from seq2seq.errors import UserError
from seq2seq.evaluation.losses import mean_loss
from seq2seq.models.seq2seq import Seq2Seq
from seq2seq.training.data_files import data_files
from seq2seq.training.recipe import Recipe

# Lengths of context: few, so that batches of one length are large.
LENGTHS = (16, 24, 36, 48, 64, 96, 128, 144, 192, 256, 384, 512)
# How often a synthetic series is of a frequency; "" is none that the model is told.
FREQUENCY_SHARES = {
    "M": 0.32, "Q": 0.14, "Y": 0.14, "W": 0.1, "D": 0.12, "B": 0.02, "H": 0.08, "30min": 0.03,
    "5min": 0.01, "": 0.04,
}  # fmt: skip
SYNTHETIC_ROWS = 16  # series of one kind, frequency and length drawn together
LOSS_WINDOWS = 6  # of each held-out series


def is_held_out(series: Series, share: float) -> bool:
    """Tell by its name whether a series is kept from training: about a share of all are."""
    return zlib.crc32(series.name.encode()) % 1_000 < 1_000 * share


def collate_series(examples: Sequence[Example]) -> Batch:
    """Make one batch: labels are the targets, without an end; missing ones are ignored."""
    targets = [example.target for example in examples]
    labels = pad(targets)
    return Batch(
        pad([example.source for example in examples]),
        pad([[BOS, *target[:-1]] for target in targets]),
        labels.masked_fill(labels == UNKNOWN, PAD),
    )


def context_length(draw: np.random.Generator, longest: int) -> int:
    """Draw one of LENGTHS up to `longest`: the longer of two draws, as most contexts are whole."""
    fitting = [length for length in LENGTHS if length <= longest] or [LENGTHS[0]]
    return int(max(draw.choice(fitting, 2)))


class SeriesCorpus:
    """Files of series. Whole series are held out by the hash of their name; loss is theirs."""

    def __init__(self, recipe: Recipe, data: Path) -> None:
        self.recipe, self.settings = recipe, recipe.series
        share = self.settings.held_out
        train = chain.from_iterable(map(read_series, data_files(data, recipe.data.train)))
        valid = chain.from_iterable(map(read_series, data_files(data, recipe.data.valid)))
        self.train = [series for series in train if not is_held_out(series, share)]
        self.valid = [series for series in valid if is_held_out(series, share)]
        if not self.train or not self.valid:
            raise UserError("The recipe's held_out leaves no series on one side: change it.")
        weights = np.array([np.sqrt(min(len(series), 600)) for series in self.train])
        self.weights = weights / weights.sum()
        self.by_frequency = {
            code: [series for series in self.train if series.frequency == code]
            for code in {series.frequency for series in self.train}
        }

    def fit(self) -> ValueTokenizer:
        """Return the tokenizer that the recipe describes; nothing is fitted."""
        settings = self.settings
        return ValueTokenizer(settings.bins, -settings.reach, settings.reach, settings.scaling)

    def encode(self, tokenizer: ValueTokenizer) -> None:
        """Cut the windows of the held-out series on which the loss is measured."""
        self.tokenizer = tokenizer
        self.valid_examples = list(chain.from_iterable(map(self._held_out_windows, self.valid)))

    def _held_out_windows(self, series: Series) -> list[Example]:
        code = series.frequency
        horizon = frequency(code).horizon
        last = len(series) - horizon
        ends = {last - number * horizon for number in range(LOSS_WINDOWS)}
        windows = []
        for end in sorted(end for end in ends if end >= LENGTHS[0]):
            length = max(each for each in LENGTHS if each <= min(end, self._longest(code)))
            values = series.values[end - length : end + horizon]
            windows.append(self._example(values, horizon, code))
        return windows

    def _example(self, values: np.ndarray, horizon: int, code: str) -> Example:
        context, future = values[:-horizon], values[-horizon:]
        fitted = self.tokenizer.fitted(context, code)
        before = [*fitted.around(code)[0]]
        if fitted.method == "recent":
            before += fitted.bin(np.zeros(1)).tolist()
        return Example(before + fitted.bin(context).tolist(), fitted.bin(future).tolist())

    def epoch(self, number: int) -> list[Any]:
        """Draw the windows of an epoch: the same for the same number."""
        draw = np.random.default_rng((self.recipe.training.seed, number))
        settings = self.settings
        made = round(settings.windows * settings.synthetic)
        examples: list[Example] = []
        while len(examples) < made:
            examples += self._synthetic(draw)
        while len(examples) < settings.windows:
            examples.append(self._real(draw))
        random.Random(number).shuffle(examples)
        return examples

    def _synthetic(self, draw: np.random.Generator) -> list[Example]:
        code = str(draw.choice(list(FREQUENCY_SHARES), p=list(FREQUENCY_SHARES.values())))
        horizon, season = self._horizon(draw, code), frequency(code).season
        if not code:  # a pattern of a length that only its past tells
            season = int(draw.integers(2, 40))
        length = context_length(draw, self._longest(code))
        series = synthetic_series(draw, SYNTHETIC_ROWS, length + horizon, season)
        return [self._window(draw, values, horizon, code) for values in series]

    def _horizon(self, draw: np.random.Generator, code: str) -> int:
        """Draw how many values are to be forecast: mostly a bit more than is usual."""
        usual = min(frequency(code).horizon, self.settings.horizon) + 2
        return 2 * usual if draw.random() < 0.1 else usual

    def _longest(self, code: str) -> int:
        return min(self.settings.context, frequency(code).context)

    def _real(self, draw: np.random.Generator) -> Example:
        series = self.train[draw.choice(len(self.train), p=self.weights)]
        code = series.frequency
        horizon = min(self._horizon(draw, code), len(series) - LENGTHS[0])
        length = context_length(draw, min(self._longest(code), len(series) - horizon))
        values = _cut(draw, series.values, length + horizon)
        if draw.random() < self.settings.mixed:
            fitting = [each for each in self.by_frequency[code] if len(each) >= length + horizon]
            others = [
                _cut(draw, fitting[draw.integers(len(fitting))].values, length + horizon)
                for _ in range(draw.integers(1, 3))
            ]
            values = mixed(draw, [values, *others])
        return self._window(draw, _varied(draw, values), horizon, code)

    def _window(
        self, draw: np.random.Generator, values: np.ndarray, horizon: int, code: str
    ) -> Example:
        if draw.random() < 0.05:
            values = np.where(draw.random(len(values)) < draw.uniform(0, 0.2), np.nan, values)
        if np.isnan(values[:-horizon]).all():
            values = np.nan_to_num(values)
        return self._example(values, horizon, code)

    def plan(self, examples: list[Any], seed: int) -> list[np.ndarray]:
        """Group by the length of the context, as plan_batches does."""
        return plan_batches(examples, self.recipe.training.batch_tokens, seed)

    def batch(self, examples: list[Any]) -> Batch:
        """Make one batch."""
        return collate_series(examples)

    def loss(self, model: Seq2Seq) -> float:
        """Return the loss on windows of the held-out series."""
        plan = plan_batches(self.valid_examples, 2_000, seed=0)
        batches = (collate_series([self.valid_examples[n] for n in numbers]) for numbers in plan)
        return mean_loss(model, batches)

    def score(self, checkpoint: Checkpoint, loss: float) -> tuple[float, dict[str, float]]:
        """Choose by the loss."""
        return loss, {}


def _cut(draw: np.random.Generator, values: np.ndarray, length: int) -> np.ndarray:
    start = draw.integers(len(values) - length + 1)
    return values[start : start + length]


def _varied(draw: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Return a window as another series might have had it: upside down, steeper, or noisier."""
    spread = np.nanstd(values) or 1.0
    kind = draw.random()
    if kind < 0.1:
        return np.nanmax(values) + np.nanmin(values) - values
    if kind < 0.3:
        return values + spread * draw.normal() * np.linspace(-1, 1, len(values))
    if kind < 0.4:
        return values + spread * draw.uniform(0, 0.5) * draw.standard_normal(len(values))
    if kind < 0.5 and np.nanmin(values) > 0:
        return values ** draw.uniform(0.5, 1.5)
    return values
