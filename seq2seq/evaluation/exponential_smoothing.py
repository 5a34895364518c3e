"""Exponential smoothing as a baseline, by statsmodels where that is installed."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from statistics import NormalDist

import numpy as np

from seq2seq.evaluation.forecast_metrics import forward_filled
from seq2seq.inference.forecasting import LEVELS

MAX_SEASON = 48  # longer ones take many seconds to fit
LEAST_POINTS = 10
WIDEST = 0.8  # probability of the interval that the deviation is read from


def is_installed() -> bool:
    """Tell whether statsmodels is there, without importing it."""
    return find_spec("statsmodels") is not None


def exponential_smoothing(history: np.ndarray, horizon: int, season: int) -> np.ndarray | None:
    """Forecast with additive errors, a damped trend, and a season where two of it are known.

    history: (time,). Returns quantiles (horizon, levels) at LEVELS; None where statsmodels is not
    installed, the history is too short, or nothing can be fitted. ETS(A, Ad, A) of
    Hyndman et al. 2008.
    """
    filled = forward_filled(history)
    seasonal = 1 < season <= MAX_SEASON and len(filled) >= 2 * season + LEAST_POINTS
    if not is_installed() or len(filled) < LEAST_POINTS or np.ptp(filled) == 0:
        return None
    from pandas import Series as Column  # it takes and returns columns of pandas
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    scale = float(np.std(filled))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model = ETSModel(
                Column((filled - filled.mean()) / scale),
                error="add",
                trend="add",
                damped_trend=True,
                seasonal="add" if seasonal else None,
                seasonal_periods=season if seasonal else None,
            )
            ahead = {"start": len(filled), "end": len(filled) + horizon - 1}
            found = model.fit(disp=False).get_prediction(**ahead)
            table = found.summary_frame(alpha=1 - WIDEST)
        except (ValueError, np.linalg.LinAlgError):
            return None
    middle, high = table["mean"].to_numpy(), table["pi_upper"].to_numpy()
    deviation = (high - middle) / NormalDist().inv_cdf((1 + WIDEST) / 2)
    if not np.isfinite(deviation).all():
        return None
    scaled = middle[:, None] + deviation[:, None] * [NormalDist().inv_cdf(each) for each in LEVELS]
    return scaled * scale + filled.mean()
