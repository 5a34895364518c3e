"""A forecast: many sampled continuations of a series, their quantiles, one path recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.frequency import frequency
from seq2seq.data.series import Series
from seq2seq.data.value_tokenizer import ValueTokenizer
from seq2seq.decoding.options import MAX_BEAM_WIDTH, MAX_SEED, Options
from seq2seq.errors import UserError
from seq2seq.inference.inputs import MAX_CONTEXT, fit_tokenizer, prepare
from seq2seq.inference.pipeline import run
from seq2seq.models.protocol import select
from seq2seq.trace import Trace

LEVELS = tuple(round(0.1 * number, 1) for number in range(1, 10))  # of the quantiles
COARSE = 4  # bins that half of the values should spread over at least
MAX_HORIZON, MAX_SAMPLES = 64, 200


@dataclass(frozen=True)
class ForecastOptions:
    """How to sample. Raises UserError where a value is out of range.

    samples: paths drawn. temperature, top_k: as for sampled text; top_k 0 cuts nothing. context:
    last values that are read, 0 for as many as are usual for the model, or at the series'
    frequency.
    """

    samples: int = 100
    temperature: float = 1.0
    top_k: int = 0
    seed: int = 0
    context: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("samples", 1, MAX_SAMPLES),
            ("temperature", 0.01, 10.0),
            ("top_k", 0, 1_000_000),
            ("seed", 0, MAX_SEED),
            ("context", 0, MAX_CONTEXT),
        ):
            if not low <= getattr(self, name) <= high:
                raise UserError(f"{name} is {getattr(self, name)}: give {low} to {high}.")


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is expected after a series, in its own unit.

    read: the part of the series that the model read. paths: (samples, horizon). quantiles:
    (horizon, levels) at LEVELS. probabilities: (horizon, bins) of the values (bins,), each step's
    mean over what the paths said before it; quantiles are those of this mean, which vary less than
    the paths' own. trace: a run that samples some more paths and records the most probable of them,
    so that it can be run again with a change; None unless asked for.
    """

    read: Series
    paths: np.ndarray
    quantiles: np.ndarray
    probabilities: np.ndarray
    values: np.ndarray
    trace: Trace | None = None

    def interval(self, share: float) -> np.ndarray:
        """Return the low and the high end that hold this share of each step, (horizon, 2)."""
        return quantiles_of(self.probabilities, self.values, ((1 - share) / 2, (1 + share) / 2))

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what makes it coarse: bins too wide for most of the values."""
        width = self.values[1] - self.values[0]
        low, high = np.nanpercentile(self.read.values, (25, 75))
        if not 0 < high - low < COARSE * width:
            return ()
        return (
            f"The model tells values apart by steps of {width:.3g} only, and half of them lie "
            f"within {high - low:.3g}: leave out what is far from all others, or subtract a level.",
        )

    @property
    def median(self) -> np.ndarray:
        """The median of each step, (horizon,)."""
        return self.quantiles[:, LEVELS.index(0.5)]


def usual_options(checkpoint: Checkpoint) -> ForecastOptions:
    """Return how a checkpoint samples unless told otherwise: as its card says."""
    decoding, usual = checkpoint.generation_config.options, checkpoint.generation_config.series
    return ForecastOptions(usual.samples, decoding.temperature, decoding.top_k)


def check_horizon(horizon: int) -> None:
    """Raise UserError for a horizon that no forecast has."""
    if not 1 <= horizon <= MAX_HORIZON:
        raise UserError(f"The horizon is {horizon}: give 1 to {MAX_HORIZON} steps.")


def decoding_options(
    checkpoint: Checkpoint, series: Series, horizon: int, options: ForecastOptions
) -> Options:
    """Return what a single path of a forecast is decoded with.

    The frequency stands where a text names its language, for a model that has a token of it.
    """
    return Options(
        method="sample",
        beam_width=min(options.samples, MAX_BEAM_WIDTH),
        temperature=options.temperature,
        top_k=options.top_k,
        seed=options.seed,
        max_length=horizon,
        source_language=series.frequency if checkpoint.tokenizer.languages else "",
    )


def read_part(checkpoint: Checkpoint, series: Series, options: ForecastOptions) -> Series:
    """Return the last values of a series, as many as the options and the model allow."""
    habit = checkpoint.generation_config.series.context
    count = options.context or habit or frequency(series.frequency).context
    count = min(count, habit or MAX_CONTEXT)
    if count >= len(series):
        return series
    return replace(series, values=series.values[-count:].copy(), start="")


@torch.inference_mode()
def forecast(
    checkpoint: Checkpoint,
    series: Series,
    horizon: int,
    options: ForecastOptions | None = None,
    record: bool = True,
) -> Forecast:
    """Forecast the next `horizon` values of a series.

    The encoder reads the series once; all paths are sampled side by side from its memory. record:
    keep a single path as a Trace, as `run` finds it with `decoding_options`. options: None for
    those of the checkpoint's card. Raises UserError for a model that reads no series, and for a
    horizon that is too long.
    """
    options = options or usual_options(checkpoint)
    check_horizon(horizon)
    read = read_part(checkpoint, series, options)
    decoding = decoding_options(checkpoint, read, horizon, options)
    source = prepare(checkpoint, read, decoding)
    tokenizer = fit_tokenizer(checkpoint, read, decoding).tokenizer
    assert isinstance(tokenizer, ValueTokenizer)
    ids = torch.tensor([source.ids], device=checkpoint.device)
    tokens, probabilities = _sample(checkpoint, ids, tokenizer, horizon, options)
    paths = tokenizer.values(tokens)
    values = tokenizer.values(np.arange(tokenizer.first, len(tokenizer)))
    quantiles = quantiles_of(probabilities, values)
    trace = None
    if record:
        trace = run(checkpoint, read, decoding, self_attention=None)
    return Forecast(read, paths, quantiles, probabilities, values, trace)


def _sample(
    checkpoint: Checkpoint,
    ids: Tensor,
    tokenizer: ValueTokenizer,
    horizon: int,
    options: ForecastOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """Sample paths of values after a source (1, source).

    Returns ids (samples, horizon), and the mean of the paths' probabilities (horizon, bins).
    """
    device, decoder = ids.device, checkpoint.searcher.decoder
    first, last = tokenizer.first, len(tokenizer)
    generator = torch.Generator(device).manual_seed(options.seed)
    memory = checkpoint.searcher.encode(ids)
    memory = select(memory, torch.zeros(options.samples, dtype=torch.long, device=device))
    state = decoder.start(memory)
    tokens = torch.full((options.samples,), checkpoint.model.config.bos, device=device)
    written, chances = [], []
    for _ in range(horizon):
        step = decoder.step(tokens, state, memory, record=False)
        state = step.state
        probabilities = _probabilities(step.logits[:, first:last], options)
        chances.append(probabilities.mean(dim=0))
        tokens = torch.multinomial(probabilities, 1, generator=generator)[:, 0] + first
        written.append(tokens)
    return torch.stack(written, dim=1).cpu().numpy(), torch.stack(chances).cpu().double().numpy()


def _probabilities(logits: Tensor, options: ForecastOptions) -> Tensor:
    """Return the chances of a draw (samples, bins): temperature first, then top-k."""
    logits = logits.float() / options.temperature
    if 0 < options.top_k < logits.shape[1]:
        least = logits.topk(options.top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    return logits.softmax(dim=1)


def quantiles_of(
    probabilities: np.ndarray, values: np.ndarray, levels: Sequence[float] = LEVELS
) -> np.ndarray:
    """Return quantiles (horizon, levels) of probabilities (horizon, bins) over equal bins.

    values: (bins,), the middles of the bins, inside which all values are equally likely.
    """
    width = values[1] - values[0]
    edges = np.append(values - width / 2, values[-1] + width / 2)
    below = np.concatenate([np.zeros((len(probabilities), 1)), probabilities.cumsum(axis=1)], 1)
    below /= below[:, -1:]
    # A step of no probability would make the inverse ambiguous.
    rising = below + np.linspace(0, 1e-9, len(edges))
    return np.stack([np.interp(levels, row, edges) for row in rising])
