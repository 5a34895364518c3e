"""Chronos (Ansari et al. 2024): a T5 whose config.json says how numbers become its tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from seq2seq.data.value_tokenizer import Roles, ValueTokenizer
from seq2seq.decoding.generation_config import GenerationConfig, SeriesDefaults
from seq2seq.decoding.options import MAX_LENGTH, Options
from seq2seq.errors import UserError
from seq2seq.families.configs import Values, shown, whole
from seq2seq.models.config import Config

MAX_SAMPLES, MAX_CONTEXT = 200, 512
USUAL_LIMIT = 15.0  # scaled values that the outermost bins stand for
# Its successors read patches of many values, each a vector without a token.
PATCHES = {"chronosbolt": "Chronos-Bolt", "chronos2": "Chronos-2"}


@dataclass(frozen=True)
class ChronosSettings:
    """What the `chronos_config` of a config.json says.

    tokens: of the vocabulary, of which `special` stand for no value. low, high: scaled values of
    the outermost bins. closed: a source ends with the end token.
    """

    tokens: int
    special: int
    low: float
    high: float
    closed: bool
    defaults: SeriesDefaults
    options: Options

    @classmethod
    def read(cls, values: Values) -> ChronosSettings:
        """Read a parsed config.json. Raises UserError, by name, for a model that reads patches, and
        for a setting that is missing or cannot be.
        """
        given = values.get("chronos_config")
        _refuse_patches(values, given)
        if not isinstance(given, dict):
            raise UserError("The config's chronos_config is no table: fetch the model again.")
        kind = given.get("tokenizer_class")
        if kind != "MeanScaleUniformBins":
            raise UserError(
                f"Its numbers are split by {shown(kind)}, which is not known here: choose a "
                "Chronos-T5, such as amazon/chronos-t5-tiny."
            )
        limits = given.get("tokenizer_kwargs")
        limits = limits if isinstance(limits, dict) else {}
        return cls(
            whole(given, "n_tokens"),
            whole(given, "n_special_tokens"),
            _number(limits, "low_limit", -USUAL_LIMIT),
            _number(limits, "high_limit", USUAL_LIMIT),
            given.get("use_eos_token") is True,
            SeriesDefaults(
                min(MAX_SAMPLES, max(1, whole(given, "num_samples", 20))),
                min(MAX_CONTEXT, whole(given, "context_length", MAX_CONTEXT)),
            ),
            _options(given),
        )

    def tokenizer(self, config: Config) -> ValueTokenizer:
        """Return its tokenizer: mean scaling and equal bins, section 3.1.

        Its special tokens are padding, which also stands for a missing value, and the end; one more
        id before the bins is not used. Raises UserError if it is of another size than the model.
        """
        if self.tokens > config.vocabulary:
            raise UserError(
                f"The tokenizer has {self.tokens} tokens and the model {config.vocabulary}: they "
                "are not from the same model."
            )
        return ValueTokenizer(
            self.tokens - self.special - 1,
            self.low,
            self.high,
            "mean",
            roles=Roles(config.pad, config.pad, config.bos, config.eos),
            first=self.special + 1,
            closed=self.closed,
        )

    def generation_config(self, config: Config) -> GenerationConfig:
        """Return how it decodes: only values, as many as its authors forecast, drawn by chance."""
        values = range(self.special + 1, self.tokens)
        forbidden = tuple(token for token in range(config.vocabulary) if token not in values)
        return GenerationConfig(
            start=(config.bos,), forbidden=forbidden, series=self.defaults, options=self.options
        )


def _refuse_patches(values: Values, given: Any) -> None:
    """Raise UserError for a successor of Chronos whose input is no sequence of tokens."""
    named = values.get("architectures")
    said = f"{values.get('chronos_pipeline_class')} {named if isinstance(named, list) else ''}"
    name = next((each for mark, each in PATCHES.items() if mark in said[:1_000].lower()), "")
    if not name and isinstance(given, dict) and "input_patch_size" in given:
        name = PATCHES["chronosbolt"]
    if name:
        raise UserError(
            f"This is {name}, which reads patches of many values and has no tokens to look at: "
            "choose a Chronos-T5, such as amazon/chronos-t5-tiny."
        )


def _options(given: Values) -> Options:
    return Options(
        method="sample",
        beam_width=1,
        temperature=min(10.0, max(0.01, _number(given, "temperature", 1.0))),
        top_k=whole(given, "top_k", 50),
        top_p=min(1.0, max(0.01, _number(given, "top_p", 1.0))),
        max_length=min(MAX_LENGTH, whole(given, "prediction_length", 64)),
    )


def _number(given: Values, name: str, default: float) -> float:
    value = given.get(name, default)
    if type(value) not in (int, float) or not math.isfinite(value):
        raise UserError(f"The config's {name} is {shown(value)}: it must be a number.")
    return float(value)
