"""How good forecasts are, beside those of seasonal naive: MASE, WQL, sMAPE and coverage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from seq2seq.checkpoint import Checkpoint
from seq2seq.data.frequency import frequency
from seq2seq.data.series import Series
from seq2seq.decoding.options import Options
from seq2seq.inference.forecasting import LEVELS, forecast, usual_options

RESAMPLES = 1_000
LEAST = 1e-9  # of a ratio, so that its logarithm is finite

# A forecast: quantiles (horizon, levels) of the values after a series, at LEVELS.
Forecaster = Callable[[Series, int], np.ndarray]


class Scores(NamedTuple):
    """The scores of one forecast.

    mase: mean absolute error of the median, in units of seasonal naive's error inside the history
    (Hyndman and Koehler 2006). wql: weighted quantile loss, the mean over LEVELS of twice the
    pinball loss, over the sum of absolute values (Ansari et al. 2024, section 5.4). smape:
    symmetric mean absolute percentage error of the median, 0 to 200. covered: share of the values
    between the quantiles 0.1 and 0.9.
    """

    mase: float
    wql: float
    smape: float
    covered: float


def seasonal_error(history: np.ndarray, season: int) -> float:
    """Mean absolute difference of values (time,) that lie a season apart; NaN where none do."""
    season = season if len(history) > season else 1
    differences = np.abs(history[season:] - history[:-season])
    return float(np.nanmean(differences)) if np.isfinite(differences).any() else float("nan")


def mase(actual: np.ndarray, point: np.ndarray, history: np.ndarray, season: int) -> float:
    """Mean absolute scaled error of a point forecast (horizon,). Hyndman and Koehler 2006.

    NaN where values a season apart are all equal, so that there is nothing to scale by.
    """
    error, unit = float(np.nanmean(np.abs(actual - point))), seasonal_error(history, season)
    return error / unit if unit > 0 else float("nan")


def weighted_quantile_loss(actual: np.ndarray, quantiles: np.ndarray) -> float:
    """WQL of quantiles (horizon, levels) at LEVELS; see Scores. NaN where all values are 0."""
    off = actual[:, None] - quantiles
    pinball = np.maximum(off * LEVELS, off * (np.array(LEVELS) - 1))
    size = float(np.nansum(np.abs(actual)))
    return float(2 * np.nansum(pinball) / len(LEVELS) / size) if size > 0 else float("nan")


def smape(actual: np.ndarray, point: np.ndarray) -> float:
    """Symmetric mean absolute percentage error, 0 to 200; where both are 0 the error is 0."""
    size = np.abs(actual) + np.abs(point)
    off = np.divide(np.abs(actual - point), size, out=np.zeros_like(size), where=size > 0)
    return float(200 * np.nanmean(np.where(np.isnan(actual), np.nan, off)))


def coverage(actual: np.ndarray, quantiles: np.ndarray) -> float:
    """Share of actual values (horizon,) from the lowest to the highest of the quantiles."""
    known = ~np.isnan(actual)
    inside = (quantiles[:, 0] <= actual) & (actual <= quantiles[:, -1])
    return float(inside[known].mean()) if known.any() else float("nan")


def score(actual: np.ndarray, quantiles: np.ndarray, history: np.ndarray, season: int) -> Scores:
    """Score quantiles (horizon, levels) of what came after a history (time,)."""
    median = quantiles[:, LEVELS.index(0.5)]
    return Scores(
        mase(actual, median, history, season),
        weighted_quantile_loss(actual, quantiles),
        smape(actual, median),
        coverage(actual, quantiles),
    )


def seasonal_naive(history: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Repeat the last season: quantiles (horizon, levels) at LEVELS.

    Errors are taken as normal, with the root mean square of the method's own errors inside the
    history, times the root of the number of seasons ahead (Hyndman and Athanasopoulos 2021,
    section 5.5). Missing values are the last ones known before them.
    """
    filled = forward_filled(history)
    season = season if len(filled) > season else 1
    steps = np.arange(horizon)
    point = filled[len(filled) - season + steps % season]
    errors = filled[season:] - filled[:-season]
    deviation = np.sqrt(np.mean(errors**2)) * np.sqrt(steps // season + 1)
    return point[:, None] + deviation[:, None] * [NormalDist().inv_cdf(level) for level in LEVELS]


def forward_filled(values: np.ndarray) -> np.ndarray:
    """Fill missing values (time,) with the last known ones; those in front with the first."""
    known = np.where(~np.isnan(values), np.arange(len(values)), -1)
    last = np.maximum.accumulate(known)
    first = int(np.flatnonzero(known >= 0)[0])
    return values[np.where(last < 0, first, last)]


def interval(values: np.ndarray, combine: Callable[..., np.ndarray]) -> tuple[float, float]:
    """Bootstrap 95 % interval of a statistic over series, values (series,).

    combine: takes values (resamples, series) and axis=1. Efron 1979.
    """
    draw = np.random.default_rng(0)
    drawn = values[draw.integers(len(values), size=(RESAMPLES, len(values)))]
    low, high = np.quantile(combine(drawn, axis=1), (0.025, 0.975))
    return float(low), float(high)


def compare(ours: Sequence[Scores], others: Sequence[Scores], name: str) -> tuple[float, ...]:
    """Compare two forecasters on the same series by the score called `name`.

    Returns the geometric mean of the ratios, and the ends of its 95 % interval: below 1, ours is
    better.
    """
    first, second = ([max(getattr(each, name), LEAST) for each in side] for side in (ours, others))
    ratios = np.array(first) / np.array(second)
    return float(geometric_mean(ratios)), *interval(ratios, geometric_mean)


def geometric_mean(ratios: np.ndarray, axis: int = -1) -> np.ndarray:
    """Geometric mean of ratios along an axis."""
    return np.exp(np.log(np.maximum(ratios, LEAST)).mean(axis=axis))


def evaluate_forecasts(
    series: Sequence[Series],
    forecaster: Forecaster,
    on_group: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Score a forecaster on the last values of each series, which it does not see.

    Horizon and season are those of the series' frequency. relative_mase, relative_wql: geometric
    means over series of the ratio to seasonal naive's. All scores come with their 95 % intervals.
    on_group: called with 1 after each series. Series whose ends are all missing, or too short for
    their horizon, are left out and counted.
    """
    pairs = score_series(series, forecaster, on_group)
    return summary(pairs) | {"left_out": len(series) - len(pairs)}


def score_series(
    series: Sequence[Series],
    forecaster: Forecaster,
    on_group: Callable[[int], None] | None = None,
) -> list[tuple[Scores, Scores]]:
    """Score a forecaster, and seasonal naive, on each series; see evaluate_forecasts."""
    pairs = []
    for each in series:
        if pair := _scored(each, forecaster):
            pairs.append(pair)
        if on_group is not None:
            on_group(1)
    return pairs


def evaluate_series(
    checkpoint: Checkpoint,
    series: Sequence[Series],
    options: Options | None = None,
    on_group: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Score a checkpoint on series, as evaluate_forecasts does.

    options: of which temperature, top_k and seed are used, None for those of the card.
    """
    options = options or checkpoint.generation_config.options
    named = {name: getattr(options, name) for name in ("temperature", "top_k", "seed")}
    sampling = replace(usual_options(checkpoint), **named)

    def forecaster(each: Series, horizon: int) -> np.ndarray:
        return forecast(checkpoint, each, horizon, sampling, record=False).quantiles

    return {"samples": sampling.samples, **evaluate_forecasts(series, forecaster, on_group)}


def _scored(series: Series, forecaster: Forecaster) -> tuple[Scores, Scores] | None:
    horizon, season = frequency(series.frequency).horizon, series.season
    history, actual = series.values[:-horizon], series.values[-horizon:]
    if len(history) < 3 or np.isnan(actual).all() or np.sum(~np.isnan(history)) < 2:
        return None
    past = Series(history, series.frequency, series.start, series.name)
    scale = seasonal_error(history, season)
    if not scale > 0 or not np.nansum(np.abs(actual)) > 0:  # nothing to measure an error by
        return None
    ours = score(actual, forecaster(past, horizon), history, season)
    return ours, score(actual, seasonal_naive(history, horizon, season), history, season)


def summary(pairs: Sequence[tuple[Scores, Scores]]) -> dict[str, Any]:
    """Summarize the scores of a forecaster and of seasonal naive on each series."""
    scores: dict[str, Any] = {"series": len(pairs)}
    if not pairs:
        return scores
    ours, naive = (np.array(side) for side in zip(*pairs, strict=True))
    for place, name in enumerate(("mase", "wql")):
        # A tie of two perfect forecasts is a ratio of 1.
        ratios = np.maximum(ours[:, place], LEAST) / np.maximum(naive[:, place], LEAST)
        scores[f"relative_{name}"] = round(float(geometric_mean(ratios)), 4)
        scores[f"relative_{name}_interval"] = _rounded(interval(ratios, geometric_mean))
    for place, name in enumerate(("mase", "wql", "smape", "coverage_80")):
        values = ours[:, place]
        scores[name] = round(float(values.mean()), 4)
        scores[f"{name}_interval"] = _rounded(interval(values, np.mean))
    scores["naive_mase"] = round(float(naive[:, 0].mean()), 4)
    scores["naive_wql"] = round(float(naive[:, 1].mean()), 4)
    scores["naive_coverage_80"] = round(float(naive[:, 3].mean()), 4)
    return scores


def _rounded(pair: tuple[float, float]) -> list[float]:
    return [round(value, 4) for value in pair]
