"""A forecast beside what came after it, and beside seasonal naive's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.series import Series
from seq2seq.errors import UserError
from seq2seq.evaluation.forecast_metrics import Scores, score, seasonal_naive
from seq2seq.inference.forecasting import Forecast, ForecastOptions, forecast

LEAST_HISTORY = 3  # values


@dataclass(frozen=True, eq=False)
class Backtest:
    """A forecast and what it is compared with.

    history: all that came before, (time,), of which the model may have read the end only. actual:
    the values that were held back, (horizon,), None where the future is forecast. naive: quantiles
    of seasonal naive, (horizon, levels). scores, naive_scores: None without actual values, or where
    all of them are missing.
    """

    forecast: Forecast
    history: np.ndarray
    actual: np.ndarray | None
    naive: np.ndarray
    scores: Scores | None = None
    naive_scores: Scores | None = None

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
) -> Backtest:
    """Forecast the last `horizon` values of a series without them, or with hide=False the next.

    Raises UserError where too few values are left to forecast from, and as `forecast` does.
    """
    history, actual = series.values, None
    if hide:
        history, actual = series.values[:-horizon], series.values[-horizon:]
    if len(history) < LEAST_HISTORY or np.isnan(history).sum() > len(history) - 2:
        raise UserError(
            f"Without its last {horizon} values this series is too short: lower the horizon."
        )
    past = replace(series, values=history.copy())
    found = forecast(checkpoint, past, horizon, options)
    naive = seasonal_naive(history, horizon, series.season)
    if actual is None or np.isnan(actual).all():
        return Backtest(found, history, actual, naive)
    ours, base = (
        score(actual, quantiles, history, series.season) for quantiles in (found.quantiles, naive)
    )
    return Backtest(found, history, actual, naive, ours, base)
