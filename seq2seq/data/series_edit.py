"""A change to the past of a series, to see what a forecast makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from seq2seq.data.series import Series
from seq2seq.errors import UserError

KINDS = ("set", "scale", "shift", "hide")


@dataclass(frozen=True)
class SeriesEdit:
    """What happens to a window of values.

    kind: "set" each to `amount`, "scale" them by it, "shift" them by it, or "hide" them, so that
    they are missing. first, last: the window, counted back from the end, 1 for the last value.
    Raises UserError for a window or an amount that cannot be.
    """

    kind: str
    first: int
    last: int
    amount: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"There is no change {self.kind[:20]!r}: use {', '.join(KINDS)}.")
        if not self.first >= self.last >= 1:
            raise UserError("The window ends before it begins: give its first value first.")
        if not np.isfinite(self.amount):
            raise UserError("The amount of a change must be a finite number.")

    def apply(self, series: Series) -> Series:
        """Return the series with the change; a window may reach beyond its beginning.

        Raises UserError where fewer than two numbers are left.
        """
        values = series.values.copy()
        window = slice(max(0, len(values) - self.first), len(values) - self.last + 1)
        past = values[window]
        values[window] = {
            "set": np.where(np.isnan(past), past, self.amount) if len(past) > 1 else self.amount,
            "scale": past * self.amount,
            "shift": past + self.amount,
            "hide": np.full(len(past), np.nan),
        }[self.kind]
        return replace(series, values=values)
