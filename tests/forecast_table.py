"""Writes the table of forecasters in checkpoints/README.md: ours beside statistical methods.

python -m tests.forecast_table FILE [CHECKPOINT ...], in an environment that has statsforecast too.
FILE has the series that the forecasters' recipes hold out: each is scored on its last values.
"""

import re
import sys
from pathlib import Path

import numpy as np
import statsforecast
from statsforecast.models import AutoETS, AutoTheta

import seq2seq
from seq2seq.data.series import read_series
from seq2seq.evaluation.forecast_metrics import (
    compare,
    forward_filled,
    score_series,
    seasonal_naive,
    summary,
)
from seq2seq.inference.forecasting import LEVELS, forecast
from seq2seq.training.recipe import read_recipe
from seq2seq.training.series_corpus import is_held_out

CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"
BLOCK = re.compile(r"(<!-- measured: forecasters -->\n).*?(<!-- /measured -->)", re.DOTALL)
FIRST = "forecaster"  # whose recipe says what is held out, and which is compared with the others
INTERVALS = sorted({round(100 * abs(2 * level - 1)) for level in LEVELS} - {0})  # per cent
COLUMNS = (
    "forecaster",
    "MASE, relative",
    "WQL, relative",
    "inside the 80 % interval",
    "its MASE by this",
    "its WQL by this",
)
HEAD = """
On {series} series that our training has not seen, though weights were chosen by their loss on
windows of them, each on its last values: geometric means of the ratio to seasonal naive, in
brackets the interval of 95 % of 1,000 resamples of the series. The last two columns compare
`{first}` with each on the same series: below 1, it is better. AutoETS and AutoTheta
are statsforecast {version}'s. `python -m tests.forecast_table FILE` writes this.

"""


def ours(name):
    """Return the forecaster of a checkpoint."""
    checkpoint = seq2seq.load(name)
    return lambda series, horizon: forecast(checkpoint, series, horizon, record=False).quantiles


def theirs(method):
    """Return the forecaster of a method of statsforecast: its quantiles are of normal errors."""

    def forecaster(series, horizon):
        season = series.season if len(series) > 2 * series.season else 1
        values = forward_filled(series.values)
        found = method(season_length=season).forecast(values, horizon, level=INTERVALS)
        columns = []
        for level in LEVELS:
            width = round(100 * abs(2 * level - 1))
            side = "hi" if level > 0.5 else "lo"
            columns.append(found[f"{side}-{width}"] if width else found["mean"])
        return np.stack(columns, axis=1)

    return forecaster


def naive(series, horizon):
    return seasonal_naive(series.values, horizon, series.season)


def between(triple, digits=2):
    value, low, high = triple
    return f"{value:.{digits}f} ({low:.2f} to {high:.2f})"


def table(file, names):
    """Score all forecasters on the held-out series of a file; returns text and table."""
    share = read_recipe(CHECKPOINTS / FIRST / "recipe.toml").series.held_out
    series = [each for each in read_series(file) if is_held_out(each, share)]
    methods = {f"`{name}`": ours(name) for name in names}
    methods |= {"AutoTheta": theirs(AutoTheta), "AutoETS": theirs(AutoETS)}
    methods["seasonal naive"] = naive
    found = {name: score_series(series, method) for name, method in methods.items()}
    first = [pair[0] for pair in found[f"`{FIRST}`"]]
    rows = []
    for name, pairs in found.items():
        scores = summary(pairs)
        cells = [name]
        for key in ("relative_mase", "relative_wql", "coverage_80"):
            cells.append(between((scores[key], *scores[f"{key}_interval"]), 3))
        own = name == f"`{FIRST}`"
        for key in ("mase", "wql"):
            other = [pair[0] for pair in pairs]
            cells.append("" if own else between(compare(first, other, key)))
        rows.append(f"| {' | '.join(cells)} |\n")
    head = HEAD.format(series=len(first), first=FIRST, version=statsforecast.__version__)
    lines = [f"| {' | '.join(cells)} |\n" for cells in (COLUMNS, ["---"] * len(COLUMNS))]
    return head + "".join(lines + rows)


def main():
    file, *names = sys.argv[1:]
    written = CHECKPOINTS / "README.md"
    text = written.read_text(encoding="utf-8")
    made = table(Path(file), names or [FIRST])
    written.write_text(
        BLOCK.sub(lambda block: f"{block[1]}{made}\n{block[2]}", text), encoding="utf-8"
    )
    print(made)


if __name__ == "__main__":
    main()
