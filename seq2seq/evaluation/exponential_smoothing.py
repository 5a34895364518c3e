"""Exponential smoothing with additive errors: a statistical forecaster to compare with."""

from __future__ import annotations

from itertools import product
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from seq2seq.evaluation.forecast_metrics import forward_filled
from seq2seq.inference.forecasting import LEVELS

MAX_SEASON = 48
LEAST_POINTS = 10
MOST_POINTS = 300  # the last ones are fitted, or four seasons where those are more
SPREAD = (0.02, 0.2, 0.5, 0.9)  # of the first grid, between a parameter's bounds
DAMPING = (0.8, 0.98)  # bounds of phi; Hyndman and Athanasopoulos 2021, section 8.2
STEPS = np.linspace(-0.5, 0.5, 3)  # of the grids around the best
ROUNDS, CLOSER = 5, 0.5  # grids that are searched, each by this factor closer around the best
# What the first states are fitted with to begin with: a fixed season, and one that changes.
BEGINNINGS = np.array([[0.3, 0.1, 0.0, 0.98], [0.3, 0.1, 0.6, 0.98]])
TINY = 1e-12  # squared errors, so that their logarithm is finite


class Smoothing(NamedTuple):
    """Smoothing parameters, (candidates,) each: of level, trend and season, and the damping phi."""

    alpha: np.ndarray
    beta: np.ndarray
    gamma: np.ndarray
    phi: np.ndarray


class Fit(NamedTuple):
    """One fitted model.

    smoothing: of one candidate. states: at the end, (2 + season, 1): level, trend, and the seasonal
    ones from the next on. deviation: of the errors. aicc: smaller is better.
    """

    smoothing: Smoothing
    states: np.ndarray
    deviation: float
    aicc: float


def exponential_smoothing(history: np.ndarray, horizon: int, season: int) -> np.ndarray | None:
    """Forecast with additive errors, and a damped trend and a season where AICc is for them.

    history: (time,), of which the last are fitted, missing ones filled forward. Returns
    quantiles (horizon, levels) at LEVELS; None for less than LEAST_POINTS, and for a constant.
    ETS(A, N or Ad, N or A) of Hyndman et al. 2008, by least squares.
    """
    filled = forward_filled(history)[-max(MOST_POINTS, 4 * season) :]
    if len(filled) < LEAST_POINTS or np.ptp(filled) == 0:
        return None
    center, scale = float(filled.mean()), float(filled.std())
    values = (filled - center) / scale
    seasonal = 1 < season <= MAX_SEASON and len(values) >= 2 * season + LEAST_POINTS
    kinds = product((False, True), (1, season) if seasonal else (1,))
    best = min((fit(values, trend, length) for trend, length in kinds), key=lambda each: each.aicc)
    middle, deviation = _ahead(best, horizon)
    normal = [NormalDist().inv_cdf(level) for level in LEVELS]
    return (middle[:, None] + deviation[:, None] * normal) * scale + center


def fit(values: np.ndarray, trend: bool, season: int) -> Fit:
    """Fit a model to values (time,), with a damped trend or without; season 1 for none.

    Parameters are searched on grids, all candidates side by side; first states are those of least
    squares, in which errors are linear.
    """
    starts = BEGINNINGS if season > 1 else BEGINNINGS[:1]
    searched = [_search(values, trend, season, start) for start in starts]
    found, errors, last = min(searched, key=lambda each: float((each[1] ** 2).sum()))
    squares, count = float((errors**2).sum()), len(values)
    free = 3 + 3 * trend + (season if season > 1 else 0)  # parameters, states and the deviation
    aic = count * np.log(max(squares, TINY) / count) + 2 * free
    correction = 2 * free * (free + 1) / max(count - free - 1, 0.1)
    deviation = np.sqrt(squares / max(1, count - free + 1))
    return Fit(found, last, float(deviation), float(aic + correction))


def _search(
    values: np.ndarray, trend: bool, season: int, start: np.ndarray
) -> tuple[Smoothing, np.ndarray, np.ndarray]:
    """Return parameters with small squared errors, those errors (time, 1), and the last states.

    start: parameters that the first states are fitted with to begin with.
    """
    states, bounds = _first_states(values, season, trend), _bounds(trend, season)
    states = _least_squares(values, start * [high > 0 for _, high in bounds], states, trend)
    tried = _grid(bounds)
    for number in range(ROUNDS):
        errors, _ = smooth(values, _smoothing(tried), np.repeat(states, len(tried), axis=1))
        best = tried[(errors**2).sum(axis=0).argmin()]
        states = _least_squares(values, best, states, trend)
        tried = _closer(bounds, best, CLOSER ** (number + 1))
    found = _smoothing(best[None])
    return found, *smooth(values, found, states)


def smooth(
    values: np.ndarray, smoothing: Smoothing, states: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Run over values (time,) with candidates side by side, from states (2 + season, candidates).

    Returns the one-step errors (time, candidates) and the states behind the last value. Hyndman and
    Athanasopoulos 2021, section 8.5.
    """
    alpha, beta, gamma, phi = smoothing
    level, trend, cycle = states[0].copy(), states[1].copy(), states[2:].copy()
    season, errors = len(cycle), np.empty((len(values), states.shape[1]))
    for time, value in enumerate(values):
        trend = phi * trend
        place = time % season
        error = value - level - trend - cycle[place]
        level = level + trend + alpha * error
        trend = trend + beta * error
        cycle[place] += gamma * error
        errors[time] = error
    return errors, np.vstack([level, trend, np.roll(cycle, -(len(values) % season), axis=0)])


def _bounds(trend: bool, season: int) -> list[tuple[float, float]]:
    """Return bounds of alpha, beta / alpha, gamma / (1 - alpha) and phi, 0 to 0 for what is not."""
    full, none = (0.0, 1.0), (0.0, 0.0)
    return [full, full if trend else none, full if season > 1 else none, DAMPING if trend else none]


def _grid(bounds: list[tuple[float, float]]) -> np.ndarray:
    """Return candidates all over the bounds, (number, 4)."""
    axes = [{low + (high - low) * share for share in SPREAD} for low, high in bounds]
    return np.array(list(product(*map(sorted, axes))))


def _closer(bounds: list[tuple[float, float]], best: np.ndarray, width: float) -> np.ndarray:
    """Return candidates around the best, this share of the bounds wide."""
    axes = [
        set(np.clip(middle + STEPS * (high - low) * width, low, high).tolist())
        for middle, (low, high) in zip(best, bounds, strict=True)
    ]
    return np.array(list(product(*map(sorted, axes))))


def _smoothing(tried: np.ndarray) -> Smoothing:
    alpha, beta, gamma, phi = tried.T
    return Smoothing(alpha, alpha * beta, (1 - alpha) * gamma, phi)


def _first_states(values: np.ndarray, season: int, trend: bool) -> np.ndarray:
    """Return states to begin with, (2 + season, 1): a line through the first values, and a cycle.

    The cycle is what the first two seasons have on average around their line.
    """
    first = values[: max(2 * season, LEAST_POINTS)]
    time = np.arange(len(first))
    slope = float(np.polyfit(time, first, 1)[0]) if trend or season > 1 else 0.0
    around = first - first.mean() - slope * (time - time.mean())
    cycle = [around[place::season].mean() if season > 1 else 0.0 for place in range(season)]
    level = first.mean() - slope * (time.mean() + 1) if trend else first.mean()
    return np.array([level, slope if trend else 0.0, *cycle])[:, None]


def _least_squares(
    values: np.ndarray, best: np.ndarray, states: np.ndarray, trend: bool
) -> np.ndarray:
    """Return the first states of the smallest squared errors with given parameters.

    A small penalty keeps a season that few values tell about near the one before.
    """
    free = [0, *([1] if trend else []), *(range(2, len(states)) if len(states) > 3 else [])]
    found = _smoothing(np.repeat(best[None], len(free) + 1, axis=0))
    moved = np.repeat(states, len(free) + 1, axis=1)
    moved[free, range(len(free))] += 1
    errors, _ = smooth(values, found, moved)
    effect = errors[:, :-1] - errors[:, -1:]
    penalty = 0.01 * np.eye(len(free))
    stacked = np.vstack([effect, penalty]), np.append(-errors[:, -1], np.zeros(len(free)))
    better = states.copy()
    better[free, 0] += np.linalg.lstsq(*stacked, rcond=None)[0]
    return better


def _ahead(found: Fit, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of each step ahead, (horizon,); Hyndman et al. 2008, table 6.1."""
    (alpha,), (beta,), (gamma,), (phi,) = found.smoothing
    level, trend, *cycle = found.states[:, 0]
    season = len(cycle)
    damped = np.cumsum(phi ** np.arange(1, horizon + 1))
    middle = level + trend * damped + [cycle[step % season] for step in range(horizon)]
    steps = np.arange(1, horizon)
    carried = alpha + beta * damped[:-1] + gamma * (steps % season == 0)
    return middle, found.deviation * np.sqrt(1 + np.append(0.0, np.cumsum(carried**2)))
