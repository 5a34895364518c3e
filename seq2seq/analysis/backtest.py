"""A forecast beside what came after it, and beside those of simple methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.frequency import dates
from seq2seq.data.series import Series
from seq2seq.errors import UserError
from seq2seq.evaluation.exponential_smoothing import exponential_smoothing
from seq2seq.evaluation.forecast_metrics import Scores, score, seasonal_naive
from seq2seq.inference.forecasting import Forecast, ForecastOptions, forecast

LEAST_HISTORY = 3  # values


@dataclass(frozen=True, eq=False)
class Backtest:
    """A forecast and what it is compared with.

    history: all that came before, (time,), of which the model may have read the end only. actual:
    the values that were held back, (horizon,), None where the future is forecast. naive: quantiles
    of seasonal naive, (horizon, levels). scores, naive_scores: None without actual values, or where
    all of them are missing. smoothed: quantiles of exponential smoothing, None where they are not
    asked for or cannot be had. dates: of history and forecast, () where they are not known.
    """

    forecast: Forecast
    history: np.ndarray
    actual: np.ndarray | None
    naive: np.ndarray
    scores: Scores | None = None
    naive_scores: Scores | None = None
    smoothed: np.ndarray | None = None
    smoothed_scores: Scores | None = None
    dates: tuple[datetime, ...] = ()

    @property
    def horizon(self) -> int:
        """Steps that were forecast."""
        return len(self.naive)


def backtest(
    checkpoint: Checkpoint,
    series: Series,
    horizon: int,
    options: ForecastOptions | None = None,
    hide: bool = True,
    smooth: bool = True,
    record: bool = True,
) -> Backtest:
    """Forecast the last `horizon` values of a series without them, or with hide=False the next.

    smooth: with exponential smoothing too. record: as `forecast` takes it.
    Raises UserError where too few values are left to forecast from, and as `forecast` does.
    """
    history, actual = series.values, None
    if hide:
        history, actual = series.values[:-horizon], series.values[-horizon:]
    if len(history) < LEAST_HISTORY or np.isnan(history).sum() > len(history) - 2:
        raise UserError(
            f"This series is too short for a horizon of {horizon}: lower it, or give at least "
            f"{horizon * hide + LEAST_HISTORY} values."
        )
    past = replace(series, values=history.copy())
    found = forecast(checkpoint, past, horizon, options, record)
    naive = seasonal_naive(history, horizon, series.season)
    smoothed = exponential_smoothing(history, horizon, series.season) if smooth else None

    def scored(quantiles: np.ndarray | None) -> Scores | None:
        if quantiles is None or actual is None or np.isnan(actual).all():
            return None
        return score(actual, quantiles, history, series.season)

    return Backtest(
        found,
        history,
        actual,
        naive,
        scored(found.quantiles),
        scored(naive),
        smoothed,
        scored(smoothed),
        tuple(dates(series.start, series.frequency, len(history) + horizon)),
    )


def rolling_backtest(
    checkpoint: Checkpoint,
    series: Series,
    horizon: int,
    origins: int,
    options: ForecastOptions | None = None,
    on_origin: Callable[[int, int], object] | None = None,
) -> tuple[Backtest, ...]:
    """Forecast from several origins, each `horizon` before the next, the oldest first.

    Origins that leave too short a history are left out. on_origin: called with how many are done,
    of how many. Raises UserError where none is left, and as `forecast` does.
    """
    ends = [len(series) - number * horizon for number in reversed(range(origins))]
    ends = [end for end in ends if end - horizon >= LEAST_HISTORY]
    if not ends:
        raise UserError(f"This series is too short for a horizon of {horizon}: lower it.")
    tests = []
    for done, end in enumerate(ends, start=1):
        known = replace(series, values=series.values[:end].copy())
        tests.append(backtest(checkpoint, known, horizon, options, smooth=False, record=False))
        if on_origin is not None:
            on_origin(done, len(ends))
    return tuple(tests)
