"""Numbers as tokens: a series is scaled, and each value becomes the nearest of many equal bins.

Ansari et al. 2024, "Chronos", section 3.1. To a model, a series is then one more text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from seq2seq.data.frequency import FREQUENCIES, frequency
from seq2seq.data.series import MISSING, parse_values, write_values
from seq2seq.data.spans import place
from seq2seq.data.tokenizer import BOS, EOS, PAD, UNKNOWN, Split
from seq2seq.errors import UserError, quote

SCALINGS = ("mean", "recent")
CONSTANT = 0.01  # of a constant value: the scale of a series that never changes
RECENT = 12  # values whose mean is the centre where a season is shorter
FIRST = EOS + 1 + len(FREQUENCIES)  # id of the lowest bin, after special tokens and frequencies


class Roles(NamedTuple):
    """Ids of the tokens that stand for no value."""

    pad: int = PAD
    missing: int = UNKNOWN
    start: int = BOS
    end: int = EOS


ROLES = Roles()  # of our own checkpoints


@dataclass(frozen=True)
class Scaling:
    """What turns a value x into (x - center) / scale, and back."""

    center: float = 0.0
    scale: float = 1.0

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scale values of any shape."""
        return (values - self.center) / self.scale

    def undo(self, scaled: np.ndarray) -> np.ndarray:
        """Return the values that were scaled."""
        return scaled * self.scale + self.center


def mean_scaling(values: np.ndarray) -> Scaling:
    """Divide by the mean absolute value, 1 where that is 0. Chronos, section 3.1."""
    present = values[~np.isnan(values)]
    scale = float(np.abs(present).mean()) if len(present) else 0.0
    return Scaling(0.0, scale or 1.0)


def recent_scaling(values: np.ndarray, season: int) -> Scaling:
    """Centre on the mean of the last season, at least RECENT values; divide by the mean distance.

    So that neither the level nor the unit of a series matters, and the bins are as fine as its
    changes ask for; those of a constant are CONSTANT of it.
    """
    present = values[~np.isnan(values)]
    center = float(present[-max(season, min(RECENT, len(present))) :].mean())
    return Scaling(center, float(np.abs(present - center).mean()) or CONSTANT * abs(center) or 1.0)


@dataclass(frozen=True)
class ValueTokenizer:
    """A vocabulary of `bins` values from low to high, after the special tokens.

    method: how a series is scaled, "mean" or "recent". Where it is "recent", a source begins with
    the token of its frequency and with the token that stands for 0, from which a model can tell
    what cannot become negative. scaling: of the series at hand; None until one is known, so that
    encode takes it from the text. roles: ids of special tokens; first: that of the lowest bin.
    closed: a source ends with the end token.
    """

    bins: int = 1024
    low: float = -10.0
    high: float = 10.0
    method: str = "recent"
    scaling: Scaling | None = None
    code: str = ""
    roles: Roles = ROLES
    first: int = FIRST
    closed: bool = False

    def __post_init__(self) -> None:
        if self.method not in SCALINGS:
            raise UserError(
                f"There is no scaling {quote(self.method)}: use {' or '.join(SCALINGS)}."
            )
        if not 2 <= self.bins <= 100_000 or not self.low < self.high:
            raise UserError("The bins of a tokenizer need a number of 2 or more, and low < high.")
        if not 0 <= min(self.roles) <= max(self.roles) < self.first <= 100_000:
            raise UserError("The special tokens of a tokenizer must come before its bins.")

    @classmethod
    def from_bytes(cls, model: bytes) -> ValueTokenizer:
        """Read what `model` holds. Raises UserError for anything else."""
        try:
            values = json.loads(model)
            roles = Roles(*values.get("roles", ROLES))
            return cls(
                values["bins"],
                values["low"],
                values["high"],
                values["method"],
                roles=roles,
                first=values.get("first", FIRST),
                closed=values.get("closed", False),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise UserError("The tokenizer.model is damaged: fetch the checkpoint again.") from None

    @property
    def model(self) -> bytes:
        """The tokenizer as a file holds it."""
        kept = {name: getattr(self, name) for name in ("bins", "low", "high", "method")}
        layout = {"roles": self.roles, "first": self.first, "closed": self.closed}
        if layout != {"roles": ROLES, "first": FIRST, "closed": False}:
            kept |= layout
        return json.dumps({"kind": "values", **kept}, indent=1).encode()

    @property
    def languages(self) -> dict[str, int]:
        """Ids of the frequencies, by code: what stands where a text names its language."""
        if self.method == "mean":
            return {}
        return {code: EOS + 1 + number for number, code in enumerate(FREQUENCIES)}

    @property
    def special(self) -> frozenset[int]:
        """Ids that stand for no value."""
        return frozenset(range(self.first))

    @property
    def source_special(self) -> frozenset[int]:
        """Ids that stand for no value: both sides share them."""
        return self.special

    @property
    def centers(self) -> np.ndarray:
        """The scaled values that the bins stand for, (bins,)."""
        return np.linspace(self.low, self.high, self.bins)

    def __len__(self) -> int:
        """Count the tokens, special ones included."""
        return self.first + self.bins

    def special_ids(self) -> tuple[int, int, int, int]:
        """Return the ids of padding, a missing value, start and end."""
        return self.roles

    def fitted(self, values: np.ndarray, code: str = "") -> ValueTokenizer:
        """Return the tokenizer of one series, (time,), with its scaling. code: its frequency."""
        if self.method == "mean":
            return replace(self, scaling=mean_scaling(values), code=code)
        scaling = recent_scaling(values, frequency(code).season)
        if np.nanmin(values) == np.nanmax(values):  # it stands in the middle of a bin
            half = scaling.scale * (self.high - self.low) / (self.bins - 1) / 2
            scaling = replace(scaling, center=scaling.center - half * (1 - self.bins % 2))
        return replace(self, scaling=scaling, code=code)

    def bin(self, values: np.ndarray) -> np.ndarray:
        """Return the ids of values in their own unit, of any shape; NaN is a missing value.

        Values beyond the outermost bins count as those.
        """
        scaling = self.scaling or Scaling()
        width = (self.high - self.low) / (self.bins - 1)
        places = np.floor((scaling.apply(values) - self.low) / width + 0.5)
        places = np.clip(np.nan_to_num(places), 0, self.bins - 1).astype(np.int64)
        return np.where(np.isnan(values), self.roles.missing, self.first + places)

    def values(self, ids: np.ndarray | Sequence[int]) -> np.ndarray:
        """Return the values, in the series' unit, that ids stand for; NaN for special ones."""
        ids = np.asarray(ids, dtype=np.int64)
        places = np.clip(ids - self.first, 0, self.bins - 1)
        values = (self.scaling or Scaling()).undo(self.centers[places])
        return np.where(ids < self.first, np.nan, values)

    def encode(self, text: str) -> list[int]:
        """Turn numbers with spaces between them into ids, after the token of 0 if there is one."""
        values = parse_values(text)
        fitted = self if self.scaling else self.fitted(values, self.code)
        before = [] if self.method == "mean" else fitted.bin(np.zeros(1)).tolist()
        return before + fitted.bin(values).tolist()

    def encode_target(self, text: str) -> list[int]:
        """Turn numbers with spaces between them into ids."""
        return self.bin(parse_values(text)).tolist()

    def around(self, language: str = "") -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the token of a frequency, if there is one, and what ends a source, if anything."""
        code, known = frequency(language or self.code).code, self.languages
        after = (self.roles.end,) if self.closed else ()
        return ((known[code],) if code in known else ()), after

    def split(self, text: str) -> Split:
        """Split as `encode` does; the token of 0, where there is one, stands for no character."""
        before = 0 if self.method == "mean" else 1
        words = text.split()
        pieces = (*["▁0"] * before, *(f"▁{word}" for word in words))
        return Split(self.encode(text), pieces, place([""] * before + words, text))

    def surfaces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return each value as `decode` writes it, nothing for what is none."""
        values = self._rounded(ids)
        return tuple("" if np.isnan(value) else f" {write_values([value])}" for value in values)

    def decode(self, ids: Sequence[int]) -> str:
        """Write the values of an output with spaces between them."""
        values = self._rounded(ids)
        return write_values(values[~np.isnan(values)])

    def _rounded(self, ids: Sequence[int]) -> np.ndarray:
        """Return the values of ids, to a tenth of the width of a bin or better."""
        width = (self.scaling or Scaling()).scale * (self.high - self.low) / (self.bins - 1)
        return np.round(self.values(ids), 1 - math.floor(math.log10(width)))

    def pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return the values of ids as text, special tokens by their names."""
        roles = self.roles
        # A missing value may have the id of padding, and is what a reader sees.
        names = {roles.start: "<s>", roles.end: "</s>", roles.pad: "<pad>", roles.missing: MISSING}
        names |= {each: f"<{code}>" for code, each in self.languages.items()}
        values = self._rounded(ids)
        return tuple(
            names.get(token) or ("<unused>" if np.isnan(value) else f"▁{value:.10g}")
            for token, value in zip(ids, values, strict=True)
        )

    def source_pieces(self, ids: Sequence[int]) -> tuple[str, ...]:
        """Return pieces as `pieces` does: both sides share them."""
        return self.pieces(ids)
