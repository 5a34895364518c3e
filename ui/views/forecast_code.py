"""The lines of code that make a forecast."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from seq2seq.data.series import Series, parse_values, write_values
from ui.code_export import Named, define

if TYPE_CHECKING:
    from seq2seq.analysis.backtest import Backtest
    from ui.inputs.forecast_settings import Sampling

MOST_WRITTEN = 1_000  # values; of a longer series those that matter


def forecast_code(series: Series, tested: Backtest, sampling: Sampling) -> Named:
    """Record the lines that make a forecast; returns it with its name there."""
    from seq2seq.analysis.backtest import backtest
    from seq2seq.inference.forecasting import ForecastOptions

    values, start, trace = series.values, series.start, tested.forecast.trace
    assert trace is not None
    if len(values) > MOST_WRITTEN:
        held = 0 if tested.actual is None else tested.horizon
        values, start = values[-len(tested.forecast.read) - held :], ""
    written = define("values", values, parse_values, write_values(values))
    known = define("series", series, Series, written, series.frequency, start)
    usual = {field.name: field.default for field in fields(ForecastOptions)}
    chosen = sampling._asdict() | {"top_k": trace.options.top_k}
    changed = {name: value for name, value in chosen.items() if value != usual[name]}
    options = define("options", None, ForecastOptions, **changed)
    hidden = {} if tested.actual is not None else {"hide": False}
    return define(
        "tested",
        tested,
        backtest,
        Named("checkpoint"),
        known,
        tested.horizon,
        options,
        **hidden,
    )
